// SPDX-License-Identifier: Apache-2.0
// Which boot ABIs an image offers, by its notes; and why PVH is not among them.
#pragma once

#include <optional>

#include "base/error.hpp"
#include "libdomainbuilder/image/image_report.hpp"

namespace xl::build {

// Best first.
std::vector<BootAbi> find_boot_abis(const ImageReport& report);

// None if PVH can boot it; else the sentence, in words that follow the file's name, and what to do.
std::optional<Error> why_not_pvh(const ImageReport& report);

// The physical address to start at. Only of a report whose boot_abis hold pvh.
GuestPhys pvh_entry(const ImageReport& report);

}  // namespace xl::build
