// The process's clocks, threads and randomness, replaced for the code under test.
//
// The shards of logic (logic/store/mysql/threads) block on threads of their own. In this program the functions of
// the C++ library behind std::thread, std::condition_variable and std::chrono's clocks, and those of
// common/base/random.h, are this folder's: the linker takes a program's own definition before a library's. So
// the daemons' code runs unchanged, a fiber for each of its threads, in virtual time.
#pragma once

namespace hongyan::simulator {

// Between runs: forgets the threads that have ended.
void forget_threads();

}  // namespace hongyan::simulator
