"""Start declarations: `python -m declarations`."""

from chassis.process import main
from declarations.app import build
from declarations.settings import DeclarationsSettings

if __name__ == "__main__":
    main(build, DeclarationsSettings)
