// SPDX-License-Identifier: Apache-2.0
// Where a create's time went, as a table and as JSON. Pure.
#pragma once

#include <span>
#include <string>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

// Phase, milliseconds, share of the whole, note; the sum at last.
std::string timing_table(std::span<const api::PhaseView> phases);
// {domid, name, warnings, phases, total_ns}
std::string timing_json(const api::CreatedView& created, std::span<const api::PhaseView> phases);

}  // namespace xl::cli
