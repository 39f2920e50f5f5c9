#!/usr/bin/python3
"""Searches the model of the leases (lease_model.cpp): the protocol holds, and each rule that is left out is missed.

  lease_model_test.py          small searches, as the tests run them
  lease_model_test.py --all    all of them, some minutes and 3 GiB of memory
"""
import os
import subprocess
import sys
import unittest

PROGRAMS = os.path.join(os.environ["HONGYAN_BUILD_DIR"], "tests/model")
ONE_MESSAGE = "crash=0 msgs=1 lane=0"

# Of the protocol as it is: nothing may be found.
HOLDS = {
    "a release and a lost connection": (1, f"adopt=0 rel=1 ev=0 loss=1 {ONE_MESSAGE}"),
    "a release and a wrong eviction": (1, f"adopt=0 rel=1 ev=1 loss=0 {ONE_MESSAGE}"),
    "a crash": (1, "adopt=0 rel=0 ev=0 crash=1 loss=1 msgs=1 lane=0"),
    "several statements": (1, f"adopt=0 tx=1 rel=1 ev=0 loss=1 {ONE_MESSAGE}"),
    "a lane between owners": (2, "adopt=0 rel=0 ev=0 crash=0 loss=0 msgs=2 lane=1"),
    "a release and a lane": (2, "adopt=0 rel=1 ev=0 crash=0 loss=0 msgs=1 lane=1"),
    "from each state a quiet one is reached": (1, f"ef=1 adopt=0 rel=1 ev=0 loss=1 {ONE_MESSAGE}"),
}
HOLDS_LARGE = {
    "two releases, three lost connections": (1, f"adopt=0 rel=2 ev=0 loss=3 {ONE_MESSAGE}"),
    "all faults once": (1, "adopt=0 rel=1 ev=1 crash=1 loss=1 msgs=1 lane=0"),
    "two messages": (1, "adopt=0 rel=1 ev=1 crash=0 loss=1 msgs=2 lane=0"),
    "two wrong evictions, sent at two nodes": (1, "adopt=0 ev=2 rel=1 crash=0 loss=0 resend=1 lane=0"),
    "a pending id": (1, "adopt=1 rel=1 ev=1 crash=0 loss=1 lane=0 pend=1"),
    "a wrong eviction and a lane": (2, "adopt=0 rel=1 ev=1 crash=0 loss=0 lane=1"),
    "both slots with one node": (2, "both=1 adopt=0 rel=2 ev=0 crash=0 loss=0 lane=1"),
}

# Of a protocol that lacks a rule (R1 to R15 of README.md): what is found.
BROKEN = {
    "release does not raise the barrier": (1, f"nobump=1 rel=1 ev=0 loss=0 {ONE_MESSAGE}", "P2"),
    "release does not name its barrier": (1, f"adopt=0 relb=0 rebump=0 gen=0 rel=1 ev=0 loss=2 {ONE_MESSAGE}", "P2"),
    "what is found owned is taken silently": (1, f"relb=1 rebump=0 gen=1 rel=1 ev=0 loss=2 {ONE_MESSAGE}", "P1"),
    "fence read at the write, evicted": (1, f"f1=1 rel=0 ev=1 loss=0 {ONE_MESSAGE}", "P2"),
    "fence read at the write, released": (1, f"f1=1 rel=1 ev=0 loss=0 {ONE_MESSAGE}", "P2"),
    "a transaction compares the epoch alone": (1, f"txchk=0 txsnap=0 tx=1 rel=1 ev=0 loss=0 {ONE_MESSAGE}", "P2"),
    "the share lock is not held": (1, f"nolock=1 tx=1 rel=1 ev=0 loss=0 {ONE_MESSAGE}", "P2"),
    "the mark is written by the release": (1, f"f3=1 early=0 pend=1 rel=1 ev=0 loss=0 {ONE_MESSAGE}", "P1"),
    "the mark goes before the pending ids": (1, "pendlate=1 early=0 rel=0 ev=0 crash=1 loss=0 msgs=1 lane=0 pend=1", "P1"),
    "the mark passes ids in doubt": (1, "markdoubt=1 early=0 rel=0 ev=0 crash=1 loss=1 msgs=1 lane=0", "P1"),
    "in doubt nothing is raised": (1, f"settle0=1 rel=0 ev=0 loss=1 {ONE_MESSAGE}", "P3"),
    "writes do not name the barrier": (1, f"nobarval=1 rel=0 ev=0 loss=1 {ONE_MESSAGE}", "P3"),
    "evict does not raise the epoch": (1, f"evnoraise=1 rel=0 ev=1 loss=0 {ONE_MESSAGE}", "P2"),
    "claim takes what is owned": (1, f"claimsteal=1 rel=0 ev=1 loss=0 {ONE_MESSAGE}", "P2"),
    "redo is read before the claim": (1, f"redoearly=1 rel=1 ev=1 loss=0 {ONE_MESSAGE}", "P1"),
    "start does not raise the epoch": (1, "oldepochs=1 rel=0 ev=0 crash=1 loss=0 msgs=1 lane=0", "P2"),
    "nobody looks at what is owned": (1, f"norecon=1 rel=1 ev=0 loss=1 {ONE_MESSAGE}", "P7"),
    "two batches of a lane under way": (2, "twoflight=1 rel=0 ev=0 crash=0 loss=0 msgs=2 lane=0", "P6"),
    "a lost batch is sent again without a look": (2, "lookupless=1 rel=0 ev=0 crash=0 loss=0 msgs=1 lane=1", "P1"),
}
BROKEN_LARGE = {
    "lane results have no batch": (2, "noid=1 early=0 rel=0 ev=0 crash=0 loss=0 msgs=2 lane=2", "P1"),
    "claim reads no largest ids": (1, "noids=1 skew=2 early=0 rel=1 ev=1 crash=0 loss=0 msgs=2 lane=0", "P1"),
}


def search(slots, flags):
    program = os.path.join(PROGRAMS, f"hongyan-lease-model-{slots}")
    run = subprocess.run([program, *flags.split(), "max=60000000"], capture_output=True, text=True, timeout=900)
    return run.returncode, run.stdout


class LeaseModel(unittest.TestCase):
    def holds(self, cases):
        for name, (slots, flags) in cases.items():
            with self.subTest(name):
                status, said = search(slots, flags)
                self.assertEqual(status, 0, said)
                self.assertIn("no violation (exhausted)", said)

    def finds(self, cases):
        for name, (slots, flags, property_) in cases.items():
            with self.subTest(name):
                status, said = search(slots, flags)
                self.assertEqual(status, 1, said)
                self.assertRegex(said, rf"=> {property_}\b")

    def test_the_protocol_holds(self):
        self.holds(HOLDS)

    def test_each_rule_is_needed(self):
        self.finds(BROKEN)

    def test_an_unknown_flag_is_refused(self):
        self.assertEqual(search(1, "no_such_rule=1")[0], 2)


class WholeLeaseModel(LeaseModel):
    def test_the_protocol_holds(self):
        self.holds(HOLDS | HOLDS_LARGE)

    def test_each_rule_is_needed(self):
        self.finds(BROKEN | BROKEN_LARGE)


if __name__ == "__main__":
    whole = "--all" in sys.argv
    if whole:
        sys.argv.remove("--all")
    unittest.main(defaultTest="WholeLeaseModel" if whole else "LeaseModel")
