// Mistakes to be made on purpose, by which the simulator shows that it sees them.
#pragma once

#include <array>
#include <string_view>

namespace hongyan::simulator {

enum class Mutation {
  kNone,
  kReleaseWithoutBarrier,  // who leaves does not raise its barrier
  kEvictWithoutEpoch,      // who evicts does not raise the dead node's epoch
  kFenceWithoutBarrier,    // a write names its epoch only
  kMarkAtRelease,          // who leaves writes marks above all that was accepted
  kPendingForgotten,       // what should stand in im_pending does not
  kNoLookup,               // what is looked up after a lost batch is not found, and no key is unique
  kClaimOfOwned,           // a claim takes what has an owner, too
  kResultOfAnotherBatch,   // a lane's result is that of the batch in flight, whichever it names
};

struct MutationName {
  Mutation mutation;
  std::string_view name;
};
inline constexpr auto kMutations = std::to_array<MutationName>({
    {Mutation::kNone, "none"},
    {Mutation::kReleaseWithoutBarrier, "release-without-barrier"},
    {Mutation::kEvictWithoutEpoch, "evict-without-epoch"},
    {Mutation::kFenceWithoutBarrier, "fence-without-barrier"},
    {Mutation::kMarkAtRelease, "mark-at-release"},
    {Mutation::kPendingForgotten, "pending-forgotten"},
    {Mutation::kNoLookup, "no-lookup"},
    {Mutation::kClaimOfOwned, "claim-of-owned"},
    {Mutation::kResultOfAnotherBatch, "result-of-another-batch"},
});

}  // namespace hongyan::simulator
