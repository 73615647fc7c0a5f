// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/random_uuid.hpp"

#include <sys/random.h>

#include <cerrno>

namespace xl::toolstack {

Result<config::Uuid> random_uuid() {
  config::Uuid::Octets octets{};
  if (::getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size())) {
    return Unexpected(system_error(errno, "drawing a random UUID"));
  }
  return config::Uuid::from_random(octets);
}

}  // namespace xl::toolstack
