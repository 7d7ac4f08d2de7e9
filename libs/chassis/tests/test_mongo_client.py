"""Driver features that are turned off."""

from pydantic import SecretStr

from chassis import mongo
from chassis.settings import CONNECTIONS, MongoSettings


async def test_the_driver_repeats_no_write_by_itself() -> None:
    client = mongo.connect(MongoSettings(url=SecretStr("mongodb://127.0.0.1:9/?retryWrites=true")))
    assert client.options.retry_writes is False
    assert client.options.pool_options.max_pool_size == CONNECTIONS
    await client.close()
