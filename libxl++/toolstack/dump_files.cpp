// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/dump_files.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <vector>

namespace xl::toolstack {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".core";
constexpr std::size_t stamp_size = 17;  // "-20261122T160500Z"

std::string stamp(std::chrono::system_clock::time_point now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "-%Y%m%dT%H%M%SZ", &utc)};
}

}  // namespace

Result<std::string> prepare_dump_file(const std::string& directory, const std::string& name,
                                      std::chrono::system_clock::time_point now) {
  std::error_code error;
  fs::create_directories(directory, error);
  std::vector<std::string> old;
  for (fs::directory_iterator at(directory, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    const std::string file = at->path().filename().string();
    if (file.size() == name.size() + stamp_size + ending.size() && file.starts_with(name + '-') &&
        file.ends_with(ending)) {
      old.push_back(at->path().string());
    }
  }
  if (error) {
    return Unexpected(system_error(error.value(), "using the folder '" + directory + "'"));
  }
  std::sort(old.begin(), old.end());  // their names are their times
  for (std::size_t i = 0; i + dumps_kept <= old.size(); ++i) {
    fs::remove(old[i], error);
  }
  return directory + '/' + name + stamp(now) + std::string(ending);
}

}  // namespace xl::toolstack
