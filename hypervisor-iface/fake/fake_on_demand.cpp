// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "hypervisor-iface/fake/fake_state.hpp"

namespace xl::hv::fake {
namespace {

// The part of `extent` that lies in `wanted`; empty: count 0.
Extent common(Extent extent, Extent wanted) {
  const Gfn first = std::max(extent.first, wanted.first);
  const Gfn end = std::min(extent.first + extent.count, wanted.first + wanted.count);
  return {first, first < end ? end - first : Pages(0)};
}

}  // namespace

Pages Domain::promised() const {
  Pages all;
  for (const Extent& extent : on_demand) {
    all += extent.count;
  }
  return std::min(all, allowance - std::min(allowance, memory.populated()));
}

Result<void> Domain::touch(Extent wanted, Pages piece) {
  std::vector<Extent> left;
  std::vector<Extent> filled;
  for (const Extent& extent : on_demand) {
    const Extent part = common(extent, wanted);
    if (part.count == Pages(0)) {
      left.push_back(extent);
      continue;
    }
    filled.push_back(part);
    const Gfn end = part.first + part.count;
    for (const Extent& rest : {Extent{extent.first, part.first - extent.first},
                               Extent{end, (extent.first + extent.count) - end}}) {
      if (rest.count != Pages(0)) {
        left.push_back(rest);
      }
    }
  }
  for (const Extent& extent : filled) {
    if (memory.populated() + extent.count > allowance) {
      return fail(ErrorCode::no_memory, "the domain has all that it may have");
    }
    XL_TRY(memory.add(extent, piece));
  }
  on_demand = std::move(left);
  return {};
}

void Domain::set_target(Pages target, Excess excess) {
  const Pages kept = excess == Excess::keep ? promised() : Pages(0);
  allowance = std::max(target, memory.populated() + kept);
  memory_target = target;
}

void Domain::give_back(Pages count) {
  for (Pages left = count; left != Pages(0) && !on_demand.empty();) {
    Extent& last = on_demand.back();
    const Pages part = std::min(left, last.count);
    last.count -= part;
    left -= part;
    allowance -= std::min(part, allowance - std::min(allowance, memory_target));
    if (last.count == Pages(0)) {
      on_demand.pop_back();
    }
  }
}

}  // namespace xl::hv::fake
