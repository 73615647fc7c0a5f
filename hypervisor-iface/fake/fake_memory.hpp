// SPDX-License-Identifier: Apache-2.0
// Guest memory of the fake: a gfn-ordered map of pieces of anonymous memory.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv::fake {

class Memory {
 public:
  Pages populated() const { return populated_; }
  // True if no frame of the extent is populated.
  bool is_free(Extent extent) const;
  // All of it, ascending, adjoining pieces joined.
  std::vector<Extent> extents() const;
  // One lot of zeroed memory for `extent`, in pieces laid out in reverse so that they never adjoin.
  Result<void> add(Extent extent, Pages piece);
  // What covers `extent`, without gap, else invalid_argument. The owner keeps the memory alive past
  // the domain.
  Result<GuestMapping> map(Extent extent, std::shared_ptr<void> token) const;
  Result<void> write(GuestPhys at, std::span<const std::byte> bytes) const;
  Result<void> read(GuestPhys at, std::span<std::byte> bytes) const;

 private:
  struct Piece {
    std::span<std::byte> bytes;
    std::shared_ptr<void> lot;
  };
  std::map<Gfn, Piece> pieces_;
  Pages populated_;
};

// The frames that [at, at + size) touches; invalid_argument if it wraps.
Result<Extent> frames_of(GuestPhys at, std::size_t size);

}  // namespace xl::hv::fake
