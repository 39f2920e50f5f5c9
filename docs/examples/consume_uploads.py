#!/usr/bin/python3
"""A business service in Python: reads uploads of clients from Kafka and answers each through Hongyan's server API.

    consume_uploads.py --kafka HOST:PORT --api http://HOST:7180 --destination orders --group order-service

The key of the server API comes from the environment, HONGYAN_API_KEY. Needs Debian's python3-confluent-kafka (or
confluent-kafka from PyPI) and nothing else.

Uploads come at least once, so this shows how each is handled once:

- An upload is named by app, uid and client_msg_id. Ids that were seen are skipped (a real service keeps them where it
  keeps its orders, and commits both in one transaction; here they are in memory).
- The answer's client_msg_id is made from the upload's name. Answered twice, it is stored once: Hongyan answers the second
  with the first one's msg_id.
- The offset is committed only after the answer was accepted, so nothing is skipped when this program dies.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections import OrderedDict

from confluent_kafka import Consumer, KafkaError, Message

REMEMBERED = 100_000


class Upload:
    """One upload, as docs/protocol.md describes its message."""

    def __init__(self, message: Message):
        headers = dict(message.headers() or [])
        self.app = headers["ce_source"].decode().removeprefix("/apps/")
        self.uid = message.key().decode()
        self.msg_id = int(headers["ce_id"])
        self.client_msg_id = headers["hongyan_client_msg_id"].decode()
        self.device = headers["hongyan_device_type"].decode()
        self.content = message.value()  # bytes, as the client gave them

    def name(self) -> str:
        """The same for every copy of an upload."""
        return hashlib.sha256(f"{self.app}\0{self.uid}\0{self.client_msg_id}".encode()).hexdigest()


class Api:
    """POST /v1/messages, tried again while the outcome is unknown or Hongyan is busy."""

    def __init__(self, url: str, key: str):
        self.url = url
        self.key = key

    def send(self, sender: str, receiver: str, content: str, client_msg_id: str) -> None:
        body = json.dumps({"from": sender, "to": [receiver], "content": content, "persist": True,
                           "client_msg_id": client_msg_id}).encode()
        request = urllib.request.Request(f"{self.url}/v1/messages", data=body, headers={
            "Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        pause = 0.1
        while (why := self._attempt(request)) is not None:
            print(f"not answered yet, trying again: {why}", file=sys.stderr, flush=True)
            time.sleep(pause)
            pause = min(pause * 2, 5)

    @staticmethod
    def _attempt(request: urllib.request.Request) -> str | None:
        """None when it was stored, else why to try again; what can never work ends the program."""
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                result = json.load(response)["results"][0]
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code in (429, 500, 502, 503, 504):
                return text
            raise SystemExit(f"the server API refuses: {error.code} {text}") from error
        except OSError as error:
            return str(error)
        if "error" not in result:
            return None
        if result["error"]["code"] in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "RATE_LIMITED"):
            return str(result["error"])
        raise SystemExit(f"the server API refuses: {result['error']}")


def handle(upload: Upload) -> str:
    """The business: what to answer."""
    return f"received {len(upload.content)} bytes, your reference is {upload.msg_id}"


def consume(consumer: Consumer, api: Api, service: str) -> None:
    seen: OrderedDict[str, None] = OrderedDict()
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            if message.error().code() == KafkaError._PARTITION_EOF:
                continue
            print(f"kafka: {message.error()}", file=sys.stderr, flush=True)  # it goes on by itself
            continue
        upload = Upload(message)
        if upload.name() not in seen:
            api.send(service, upload.uid, handle(upload), client_msg_id=upload.name())
            print(f"answered uid={upload.uid} id={upload.msg_id} bytes={len(upload.content)}", flush=True)
            seen[upload.name()] = None
            if len(seen) > REMEMBERED:
                seen.popitem(last=False)
        consumer.commit(message, asynchronous=False)


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers every upload to a destination.")
    parser.add_argument("--kafka", required=True, help="brokers, HOST:PORT[,HOST:PORT]")
    parser.add_argument("--api", required=True, help="URL of logic's server API")
    parser.add_argument("--destination", required=True)
    parser.add_argument("--group", required=True, help="consumer group: its members share the partitions")
    parser.add_argument("--service", default="order-service", help="who answers, as the clients see it")
    args = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    consumer = Consumer({"bootstrap.servers": args.kafka, "group.id": args.group, "enable.auto.commit": False,
                         "auto.offset.reset": "earliest", "reconnect.backoff.max.ms": 500,
                         "session.timeout.ms": 10_000})  # then another member takes over from one that died
    consumer.subscribe([f"im.c2s.{args.destination}"])
    try:
        consume(consumer, Api(args.api, os.environ["HONGYAN_API_KEY"]), args.service)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
