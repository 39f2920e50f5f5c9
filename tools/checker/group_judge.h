// The part of the judgement that concerns groups. Pure.
#pragma once

#include "tools/checker/history.h"
#include "tools/checker/judge.h"

namespace hongyan::checker {

// A group's messages and changes stand at one group_seq each, the same for all members, without a hole. Who
// is in the group when, is read from the changes themselves: message n goes to those who joined at or before
// n and did not leave before n, and to nobody else. From the seq on that is first read by the group, it is a
// large group: its messages are asked of fresh pulls, those of a member's last stay. Adds to the verdict.
void judge_groups(const History& history, Verdict& verdict);

}  // namespace hongyan::checker
