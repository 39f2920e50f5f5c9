// The version of this project, of all its programs and libraries: that of project() in CMakeLists.txt.
#pragma once

namespace hongyan {

// As in "1.2.3". Any thread.
[[nodiscard]] const char* version() noexcept;

}  // namespace hongyan
