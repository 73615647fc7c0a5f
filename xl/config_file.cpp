// SPDX-License-Identifier: Apache-2.0
#include "xl/config_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/unique_fd.hpp"
#include "libxl++/api/wire.hpp"

namespace xl::cli {

Result<std::string> read_config(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));  // NOLINT
  if (!fd) {
    return Unexpected(
        system_error(errno, "opening the config file '" + path + "'", ErrorId::config_missing));
  }
  std::string text;
  while (text.size() <= api::max_config_bytes) {
    const std::size_t before = text.size();
    text.resize(before + 64 * 1024);
    const ssize_t got = ::read(fd.get(), text.data() + before, text.size() - before);
    const int error = errno;
    text.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got < 0 && error != EINTR) {
      Error failed = system_error(error, "reading the config file '" + path + "'");
      if (error == EISDIR) failed.hint = "name a file in it";
      return Unexpected(std::move(failed));
    }
    if (got == 0) {
      break;
    }
  }
  return text;
}

}  // namespace xl::cli
