// SPDX-License-Identifier: Apache-2.0
// A domain config's text, of any format, to DomainConfig. Pure: no I/O, no clock, no global state;
// any thread may call it at any time. Every finding of one run is reported, sorted by position,
// each once.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/diagnostic.hpp"
#include "libxl++/config/domain_config.hpp"

namespace xl::config {

// Limits of what is looked at; beyond them there is one clear error. A reader of files need not
// read more than max_source_size + 1 octets.
inline constexpr std::size_t max_source_size = 1024 * 1024;  // of the file; of all overrides
inline constexpr std::size_t max_nesting = 32;               // lists within lists
inline constexpr std::size_t max_diagnostics = 20;  // kept; one more then says that others follow

// The name under which findings in overrides are reported.
inline constexpr std::string_view command_line_source = "command line";

// Borrowed for the time of the call.
struct Source {
  std::string_view name;  // as the user wrote it, for messages
  std::string_view text;  // may hold anything
};

struct Devices;

struct ParseOptions {
  bool strict = false;   // an unknown key is an error; else it is a warning
  bool dry_run = false;  // nothing is created: devices that a domain cannot have yet are warnings
};

struct Parsed {
  // Present if and only if there is no error; then it is valid (see validate).
  std::optional<DomainConfig> config;
  // Present with the config. The header of Devices is devices/devices.hpp.
  std::shared_ptr<const Devices> devices;
  // Errors and warnings: those of the file first, then those of the overrides.
  std::vector<Diagnostic> diagnostics;
};

// The file's format is told by its name or else by its look (formats/format.hpp). `overrides` are
// `xl create`'s key=value arguments, one per element. Each is read as a line of xl.cfg(5) behind
// the file, where a value may also be a bare word (name=foo, on_crash=preserve): it ends at ';' or
// at the argument's end. A later assignment of a key replaces an earlier one.
Parsed parse_domain_config(const Source& file, std::span<const std::string> overrides = {},
                           const ParseOptions& options = {});

}  // namespace xl::config
