# shellcheck shell=bash
# Options of the sanitizers for whoever runs our programs under them; sourced by tests/run, .ci/run and check.
# A report ends the program, with function names.
symbolizer=$(command -v llvm-symbolizer-19 || true)
export ASAN_OPTIONS="abort_on_error=0:detect_leaks=1:detect_stack_use_after_return=0:external_symbolizer_path=$symbolizer"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:external_symbolizer_path=$symbolizer"
support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$support/tsan.supp:external_symbolizer_path=$symbolizer"
