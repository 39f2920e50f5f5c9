// The files of a folder, served from memory.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/result.h"
#include "common/http/router.h"

namespace hongyan::http {

struct StaticFilesOptions {
  std::string folder;
  std::size_t max_bytes = 32 << 20;  // of all files together
  Fields headers = {};               // with every answer
};

// Reads every file below the folder and adds a route for each: "/" and the path within the folder; index.html
// also answers for its folder. What is not a regular file, or begins with a dot, is left out. So a request
// opens nothing and reaches nothing but what was there at the start; what is built later asks for a restart.
//
// Content types go by the ending. Files below assets/ carry a hash in their names and may be kept for a year;
// the others are asked for again each time, by ETag. Returns the number of files. Blocks: only at start.
// Errors: kNotFound (no such folder), kTooLarge, kUnavailable (a file cannot be read), kBadRequest (a name
// that no route can have).
[[nodiscard]] Result<std::size_t> add_static_files(Router& router, const StaticFilesOptions& options);

}  // namespace hongyan::http
