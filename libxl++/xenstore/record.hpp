// SPDX-License-Identifier: Apache-2.0
// What the journal's batches are made of: operations, each its number and then its fields in the
// order below. Numbers are LEB128, texts have their length before them, permissions are a count and
// then domain and access of each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace xl::xenstore {

enum class Op : std::uint8_t {
  put = 1,            // path, value, permissions
  erase,              // path
  special,            // event, permissions
  introduce,          // domain
  release,            // domain
  target,             // domain, target
  watch,              // domain, path, token, bytes of relative prefix, depth + 1 or 0
  unwatch,            // domain, path, token
  reset_watches,      // domain
  reset,              // domain
  transaction_start,  // domain, id
  transaction_end,    // domain, id
  step,               // domain, flags, ring position if flags say so, then as in Step
  node,               // path, value, permissions, generation, generation of the list of children
  next_generation,    // value
  limit,              // domain + 1 or 0, name, value
  features,           // domain, value
  forget,             // domain
};

// Where the server stands in a guest's ring.
struct RingPosition {
  std::uint32_t requests_taken = 0;  // req_cons
  std::uint32_t responses_put = 0;   // rsp_prod
  std::uint32_t error = 0;           // XENSTORE_ERROR_*

  bool operator==(const RingPosition&) const = default;
};

// How far a guest's connection has come: the whole of one turn at its ring. Recorded before the
// ring's indexes move, so that it is repeated wholly or is over.
struct Step {
  struct Output {
    std::string_view bytes;
    bool is_event = false;
  };
  std::optional<RingPosition> position;
  bool broken = false;
  bool introduced = true;
  std::uint64_t sent = 0;      // bytes of output recorded earlier that are in the ring now
  std::vector<Output> queued;  // what came and is not in the ring yet
  std::string_view input;      // of a message that is not complete
};

namespace step_flags {
inline constexpr std::uint64_t has_position = 1;
inline constexpr std::uint64_t broken = 2;
inline constexpr std::uint64_t introduced = 4;
}  // namespace step_flags

}  // namespace xl::xenstore
