// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/host_config_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/unique_fd.hpp"
#include "libxl++/api/config_findings.hpp"

namespace xl::api {
namespace {

constexpr const char* usual_path = "/etc/xen/xl.conf";

}  // namespace

HostConfigFile::HostConfigFile() : path_(usual_path) {
  const char* const given = std::getenv("XL_CONF");
  if (given != nullptr && *given != '\0') {
    path_ = given;
    must_exist_ = true;
  }
}

Result<std::string> HostConfigFile::read_text() const {
  const UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));  // NOLINT
  if (!fd) {
    if (errno == ENOENT && !must_exist_) {
      return std::string();
    }
    return Unexpected(system_error(errno, "opening the host's config '" + path_ + "'"));
  }
  std::string text;
  while (text.size() <= config::max_source_size) {
    char part[16 * 1024];
    const ssize_t got = ::read(fd.get(), part, sizeof part);
    if (got < 0 && errno != EINTR) {
      // Whatever its class: io would say that xld is not well.
      return fail(ErrorId::host_config_wrong,
                  system_error(errno, "reading the host's config '" + path_ + "'").message);
    }
    if (got == 0) {
      break;
    }
    text.append(part, got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  return text;
}

Answer<HostConfigFile::View> HostConfigFile::read() {
  XL_TRY_ASSIGN(const std::string text, read_text());
  if (text.empty()) {
    return View{};
  }
  const config::ParsedHostConfig parsed = config::parse_host_config({path_, text});
  if (!parsed.config) {
    return Unexpected(refusal(parsed.diagnostics));
  }
  View view{*parsed.config, {}};
  const std::lock_guard lock(mutex_);
  if (warned_about_ != text) {
    warned_about_ = text;
    view.warnings = config::render(parsed.diagnostics);
  }
  return view;
}

}  // namespace xl::api
