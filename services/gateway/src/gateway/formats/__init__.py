"""The forms that submissions come in: JSON, CloudEvents, WCO documents. Read with bounds; no rule of any subject."""
