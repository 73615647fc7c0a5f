// SPDX-License-Identifier: Apache-2.0
#include "xld/log.hpp"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

namespace xl::daemon {
namespace {

constexpr std::size_t file_limit = 4 * 1024 * 1024;
constexpr std::size_t old_files = 1;

}  // namespace

Result<void> open_log(const std::string& file, const std::string& level) {
  ::umask(0077);  // logs may hold what guests print
  try {
    if (file.empty()) {
      spdlog::set_default_logger(spdlog::stderr_logger_mt("xld"));
    } else {
      spdlog::set_default_logger(spdlog::rotating_logger_mt("xld", file, file_limit, old_files));
    }
  } catch (const spdlog::spdlog_ex& error) {
    return fail(ErrorCode::io, std::string("opening the log: ") + error.what());
  }
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(level));
  spdlog::flush_on(spdlog::level::info);
  return {};
}

}  // namespace xl::daemon
