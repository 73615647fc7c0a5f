// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen/ram_records.hpp"

#include <algorithm>
#include <string>

namespace xl::hv::xen {
namespace {

// 48 bits of guest physical address.
constexpr Gfn address_space_end(1ULL << 36);

bool starts_before(const Extent& a, const Extent& b) {
  return a.first < b.first;
}

std::vector<Extent> sorted(std::span<const Extent> extents) {
  std::vector<Extent> all(extents.begin(), extents.end());
  std::sort(all.begin(), all.end(), starts_before);
  return all;
}

}  // namespace

void RamRecords::begin(DomId domain, const DomainHandle& handle) {
  const std::lock_guard lock(mutex_);
  records_[domain] = {};
  all_populated_[domain] = handle;
}

void RamRecords::forget(DomId domain) {
  const std::lock_guard lock(mutex_);
  records_.erase(domain);
  all_populated_.erase(domain);
}

std::optional<RamRecord> RamRecords::find(DomId domain) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(domain);
  return found == records_.end() ? std::nullopt : std::optional(found->second);
}

bool RamRecords::knows(DomId domain) const {
  const std::lock_guard lock(mutex_);
  return records_.count(domain) != 0;
}

void RamRecords::add_populated(DomId domain, std::span<const Extent> extents) {
  const std::lock_guard lock(mutex_);
  if (const auto found = records_.find(domain); found != records_.end()) {
    join(found->second.populated, extents);
  }
}

bool RamRecords::is_all_populated(DomId domain, const DomainHandle& handle) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_populated_.find(domain);
  return found != all_populated_.end() && found->second == handle;
}

void RamRecords::note_all_populated(DomId domain, const DomainHandle& handle) {
  const std::lock_guard lock(mutex_);
  all_populated_[domain] = handle;
}

void RamRecords::add_on_demand(DomId domain, std::span<const Extent> extents) {
  const std::lock_guard lock(mutex_);
  all_populated_.erase(domain);
  if (const auto found = records_.find(domain); found != records_.end()) {
    join(found->second.on_demand, extents);
  }
}

void join(std::vector<Extent>& all, std::span<const Extent> more) {
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end(), starts_before);
  std::vector<Extent> joined;
  for (const Extent& extent : all) {
    if (!joined.empty() && joined.back().first + joined.back().count == extent.first) {
      joined.back().count += extent.count;
    } else {
      joined.push_back(extent);
    }
  }
  all = std::move(joined);
}

void append(std::vector<Extent>& all, Gfn next) {
  if (!all.empty() && all.back().first + all.back().count == next) {
    all.back().count += Pages(1);
  } else {
    all.push_back({next, Pages(1)});
  }
}

bool overlaps(std::span<const Extent> ascending, const Extent& extent) {
  return std::any_of(ascending.begin(), ascending.end(), [&](const Extent& other) {
    return other.first < extent.first + extent.count && extent.first < other.first + other.count;
  });
}

Result<void> check_extents(std::span<const Extent> extents) {
  for (const Extent& extent : extents) {
    Gfn end;
    if (extent.count == Pages(0) || !Gfn::checked_add(extent.first, extent.count, end) ||
        end > address_space_end) {
      return fail(ErrorCode::invalid_argument,
                  name_of(extent) + " are none, or lie outside of a guest's address space");
    }
  }
  const std::vector<Extent> all = sorted(extents);
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].first < all[i - 1].first + all[i - 1].count) {
      return fail(ErrorCode::invalid_argument, name_of(all[i]) + " are asked for twice");
    }
  }
  return {};
}

Pages total(std::span<const Extent> extents) {
  Pages sum;
  for (const Extent& extent : extents) {
    sum += extent.count;
  }
  return sum;
}

std::string name_of(const Extent& extent) {
  return "frames [" + std::to_string(extent.first.value()) + ", +" +
         std::to_string(extent.count.count()) + ")";
}

}  // namespace xl::hv::xen
