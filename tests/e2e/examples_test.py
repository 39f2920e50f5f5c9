"""The C++ examples: alice chats on a terminal with a bot, which is restarted in between."""

import json
import os
import queue
import subprocess
import threading
import unittest
import urllib.request
import uuid
from pathlib import Path

BIN = Path(os.environ["HONGYAN_BUILD_DIR"]) / "bin"
IPLIST = os.environ["HONGYAN_IPLIST"]
PATIENCE_SECONDS = 60


def start(test: unittest.TestCase, program: str, uid: str) -> subprocess.Popen:
    body = json.dumps({"uid": uid}).encode()
    with urllib.request.urlopen(f"{IPLIST}/demo/token", data=body, timeout=PATIENCE_SECONDS) as response:
        token = json.load(response)["token"]
    process = subprocess.Popen([BIN / program, uid, IPLIST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "HONGYAN_TOKEN": token})
    test.addCleanup(process.stdout.close)
    test.addCleanup(process.stdin.close)
    test.addCleanup(process.wait)
    test.addCleanup(process.kill)
    return process


class ExamplesTest(unittest.TestCase):
    def test_a_chat_with_a_bot(self):
        parrot = f"parrot-{uuid.uuid4()}"
        chat = start(self, "example-chat", f"alice-{uuid.uuid4()}")
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line) for line in chat.stdout], daemon=True).start()

        def say(text: str) -> None:
            chat.stdin.write(f"{parrot}: {text}\n")
            chat.stdin.flush()

        def answer() -> str:
            return lines.get(timeout=PATIENCE_SECONDS)

        say("who is there?")  # nobody: it waits for the bot
        bot = start(self, "example-echo-bot", parrot)
        self.assertEqual(answer(), f"{parrot}: you said: who is there?\n")
        bot.terminate()
        self.assertEqual(bot.wait(PATIENCE_SECONDS), 0)

        say("and now?")
        start(self, "example-echo-bot", parrot)
        self.assertEqual(answer(), f"{parrot}: you said: and now?\n")  # not the first once more
        chat.stdin.close()
        self.assertEqual(chat.wait(PATIENCE_SECONDS), 0)
        self.assertTrue(lines.empty())

    def test_usage(self):
        for program in ("example-chat", "example-echo-bot"):
            done = subprocess.run([BIN / program], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
            self.assertEqual(done.returncode, 2)
            self.assertIn("usage:", done.stderr)


if __name__ == "__main__":
    unittest.main()
