// SPDX-License-Identifier: Apache-2.0
// As much of ACPI Machine Language as a PVH guest's DSDT needs. Each function returns one encoded
// term; terms are joined by +=. Source: ACPI 5.0, 20.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace xl::build::acpi::aml {

using Term = std::vector<std::byte>;

Term& operator+=(Term& to, const Term& term);

Term integer(std::uint32_t value);  // ConstObj, ByteConst, WordConst or DWordConst
Term string(std::string_view ascii);
Term buffer(const Term& bytes);  // Buffer (size) { bytes }
// A name is one segment of up to four characters, or "\" and one: "\_SB".
Term name(std::string_view name, const Term& value);       // Name (name, value)
Term scope(std::string_view name, const Term& contents);   // Scope (name) { contents }
Term device(std::string_view name, const Term& contents);  // Device (name) { contents }

// The encoding of the length of a package whose contents have `size` bytes; it counts itself.
Term package_length(std::size_t size);

}  // namespace xl::build::acpi::aml
