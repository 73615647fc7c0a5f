// SPDX-License-Identifier: Apache-2.0
// Names of virtual block devices, as in xen-vbd-interface(7): "xvda", "hdc2", "sdb", "d536p37", or
// a number. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.hpp"

namespace xl::config {

struct Vdev {
  enum class Kind : std::uint8_t { xen, ide, scsi, number };
  Kind kind = Kind::xen;
  std::uint32_t disk = 0;       // from 0; of a number: not known
  std::uint32_t partition = 0;  // 0: the whole disk; of a number: not known
  std::uint32_t number = 0;     // what stands in xenstore: the device's name to the protocol

  bool operator==(const Vdev&) const = default;
};

// Errors: invalid_argument, with the name in the message and what is allowed in the hint.
Result<Vdev> parse_vdev(std::string_view name);

}  // namespace xl::config
