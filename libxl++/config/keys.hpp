// SPDX-License-Identifier: Apache-2.0
// The keys of xl.cfg(5), in one table: what each takes, and what becomes of it. The table in the
// manual page is made from this one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "libxl++/config/key_value.hpp"

namespace xl::config {

struct Assignment;
struct Draft;

// Reads the key's effective assignment into the draft; what is wrong goes to the draft's findings.
using KeyHandler = void (*)(const Assignment& assignment, Draft& draft);

// Why a key is not honoured, and what to do. `why` reads on behind "'KEY' is not supported: ".
struct Reason {
  std::string_view why;
  std::string_view cure = {};
};

struct Key {
  enum class Fate : std::uint8_t {
    honoured,  // its handler reads it
    accepted,  // it has no meaning for a PVH domain; all of a file are named in one warning
    refused,   // the domain would lack what it asks for: an error, with the reason
    device,    // refused like that; but its handler reads it, and a dry run shows what it says
  };

  std::string_view name;
  KeyValue value;
  Fate fate = Fate::honoured;
  KeyHandler handler = nullptr;    // of honoured keys and of devices
  const Reason* reason = nullptr;  // of all but honoured keys
  // Of refused keys: values, with a comma behind each, that ask for what the domain has anyway.
  // They are taken. So is what is empty.
  std::string_view granted = {};
};

inline constexpr std::size_t key_count = 173;

std::span<const Key, key_count> keys();
std::optional<std::size_t> find_key(std::string_view name);  // index into keys()
std::string_view nearest_key(std::string_view name);         // empty: none is near

}  // namespace xl::config
