"""The bare handler: the cost of a POST with a hand-written, optimised handler and nothing else.

Bytes, receipt and unsent event are one document, saved by one insert as durable as the platform's; it
then answers, and publishes the event afterwards. It has no keys, contracts, de-duplication, traces or
outbox sweeper.
"""

import asyncio
import hashlib
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import uvicorn
from aiokafka import AIOKafkaProducer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from chassis.mongo import connect, open_database
from chassis.settings import MongoSettings


def application(bootstrap_servers: str, mongo_url: str, topic: str) -> Starlette:
    receipts = open_database(connect(MongoSettings.model_validate({"url": mongo_url})), "benchdoor")["receipts"]
    sending = set[asyncio.Task[object]]()

    async def post(request: Request) -> JSONResponse:
        sent = await request.body()
        declaration = json.loads(sent)
        id_, now = f"DR-{secrets.token_hex(12)}", datetime.now(UTC)
        event = {"receipt": id_, "received_at": now.isoformat(), "declaration": declaration}
        receipt = {"lrn": declaration["lrn"], "sha256": hashlib.sha256(sent).hexdigest(), "received_at": now}
        data = json.dumps(event)
        await receipts.insert_one({"_id": id_, "original": sent, **receipt, "outbox": [{"seq": 1, "data": data}]})
        task = asyncio.create_task(
            request.app.state.producer.send_and_wait(
                topic, data.encode(), key=id_.encode(), headers=[("ce_id", id_.encode())]
            )
        )
        sending.add(task)
        task.add_done_callback(sending.discard)
        return JSONResponse({"id": id_, "status": "received"}, 202)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.producer = producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=5,
        )
        await producer.start()
        yield
        await producer.stop()

    return Starlette(routes=[Route("/v1/declarations", post, methods=["POST"])], lifespan=lifespan)


if __name__ == "__main__":
    kafka, mongo, name, port = sys.argv[1:]
    uvicorn.run(application(kafka, mongo, name), host="127.0.0.1", port=int(port), log_level="warning")
