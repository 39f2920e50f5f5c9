"""docs/examples/consume_uploads.py on a real cluster: each upload is answered once, whatever is killed meanwhile."""

import json
import os
import subprocess
import time
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
ENV_FILE = Path(os.environ["HONGYAN_DIR"]) / "env"
SECONDS = 60


class ConsumeUploadsTest(unittest.TestCase):
    def cluster(self, verb: str, name: str) -> None:
        done = subprocess.run([os.environ["HONGYAN_DEV_CLUSTER"], verb, name, "--dir", os.environ["HONGYAN_DIR"]],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def consumer(self) -> subprocess.Popen:
        process = subprocess.Popen(
            ["/usr/bin/python3", REPO / "docs" / "examples" / "consume_uploads.py", "--kafka",
             os.environ["HONGYAN_KAFKA"], "--api", os.environ["HONGYAN_API"], "--destination", "orders", "--group", "test"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def chat(self, user: str, *options: str) -> list[dict]:
        done = subprocess.run(
            [BUILD_DIR / "bin" / "hongyan-chat", "--env", ENV_FILE, "--user", user, "--json", *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def inbox_when(self, user: str, count: int) -> list[dict]:
        """All of the user's inbox once it holds so many messages."""
        end = time.monotonic() + SECONDS
        while True:
            events = self.chat(user, "--from-seq", "0", "--pull")
            messages = [event for event in events if event["event"] == "message"]
            if len(messages) >= count:
                return messages
            self.assertLess(time.monotonic(), end, f"{user} has only {messages}")
            time.sleep(0.2)

    def test_each_upload_is_answered_once(self):
        first = self.consumer()
        sent = [event["msg_id"] for event in self.chat("alice", "--upload", "orders", "one goose",
                                                       "--upload", "orders", "two geese 🪿") if event["event"] == "sent"]
        answers = self.inbox_when("alice", 2)
        self.assertEqual([answer["content"] for answer in answers],
                         [f"received 9 bytes, your reference is {sent[0]}",
                          f"received 14 bytes, your reference is {sent[1]}"])
        self.assertEqual({answer["from"] for answer in answers}, {"order-service"})

        first.kill()  # perhaps before its last commit: the next one answers again, and nothing is stored twice
        first.wait()
        self.cluster("kill", "logic-1")
        self.consumer()
        self.cluster("restart", "logic-1")
        self.chat("alice", "--upload", "orders", "")
        answers = self.inbox_when("alice", 3)
        self.assertEqual([answer["seq"] for answer in answers], [1, 2, 3])
        self.assertTrue(answers[2]["content"].startswith("received 0 bytes"))


if __name__ == "__main__":
    unittest.main()
