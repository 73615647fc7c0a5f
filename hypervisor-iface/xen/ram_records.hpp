// SPDX-License-Identifier: Apache-2.0
// What this process gave to the domains that it made, until they run: Xen replaces a frame without
// a word when one is populated twice, and cannot be asked where memory is on demand without giving
// it. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "hypervisor-iface/hypervisor.hpp"

namespace xl::hv::xen {

struct RamRecord {
  std::vector<Extent> populated;  // ascending, joined
  std::vector<Extent> on_demand;  // the same
};

class RamRecords {
 public:
  void begin(DomId domain, const DomainHandle& handle);  // a new domain, that has nothing
  void forget(DomId domain);
  // None: made by somebody else.
  std::optional<RamRecord> find(DomId domain) const;
  bool knows(DomId domain) const;
  void add_populated(DomId domain, std::span<const Extent> extents);
  void add_on_demand(DomId domain, std::span<const Extent> extents);
  // Known to have no memory on demand, so that Xen need not be asked.
  bool is_all_populated(DomId domain, const DomainHandle& handle) const;
  void note_all_populated(DomId domain, const DomainHandle& handle);

 private:
  mutable std::mutex mutex_;
  std::map<DomId, RamRecord> records_;
  std::map<DomId, DomainHandle> all_populated_;
};

// Adds to what is ascending and joined.
void join(std::vector<Extent>& all, std::span<const Extent> more);
// A frame behind all of them.
void append(std::vector<Extent>& all, Gfn next);
bool overlaps(std::span<const Extent> ascending, const Extent& extent);
// invalid_argument for extents that are empty, wrap, lie beyond any guest's address space or
// overlap one another.
Result<void> check_extents(std::span<const Extent> extents);
Pages total(std::span<const Extent> extents);
// "frames [16, +700)".
std::string name_of(const Extent& extent);

}  // namespace xl::hv::xen
