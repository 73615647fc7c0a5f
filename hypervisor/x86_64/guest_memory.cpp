// SPDX-License-Identifier: Apache-2.0
// The Machine's access to guest memory by linear address: the guest's page tables, then the
// physmap.
#include <algorithm>
#include <cstring>

#include "hypervisor/x86_64/guest_walk.hpp"
#include "hypervisor/x86_64/machine.hpp"

namespace hyp::x86 {
namespace {

// The byte at this guest-physical address, valid until the end of its page; null where there is no
// memory.
std::byte* guest_byte(MachineVcpu& vcpu, xl::GuestPhys at, bool write) {
  const Result<PhysmapEntry> entry = hypervisor.touch(vcpu, xl::to_gfn(at));
  if (!entry || entry->kind == PageKind::none || (write && entry->kind == PageKind::grant_ro)) {
    return nullptr;
  }
  return Machine::frame(entry->mfn) + (at.value() & (xl::page_size - 1));
}

std::byte* find_linear(MachineVcpu& vcpu, std::uint64_t linear, bool write) {
  const Vmcb& vmcb = *vcpu.arch.vmcb;
  const auto read_entry = [&](xl::GuestPhys at, unsigned bytes) -> std::optional<std::uint64_t> {
    const std::byte* entry = guest_byte(vcpu, at, false);
    if (entry == nullptr) {
      return std::nullopt;
    }
    std::uint64_t value = 0;
    std::memcpy(&value, entry, bytes);  // a table entry is aligned: it does not cross a page
    return value;
  };
  const auto phys =
      walk_guest({vmcb.cr0, vmcb.cr3, vmcb.cr4, vmcb.efer}, linear, write, read_entry);
  return phys ? guest_byte(vcpu, *phys, write) : nullptr;
}

// Calls copy(host byte, offset, count) for each piece of [linear, linear + bytes) within one page.
template <typename Copy>
bool for_each_piece(MachineVcpu& vcpu, std::uint64_t linear, std::size_t bytes, bool write,
                    Copy&& copy) {
  for (std::size_t done = 0; done < bytes;) {
    const std::uint64_t at = linear + done;
    const std::size_t count =
        std::min<std::size_t>(bytes - done, xl::page_size - (at & (xl::page_size - 1)));
    std::byte* const memory = find_linear(vcpu, at, write);
    if (memory == nullptr) {
      return false;
    }
    copy(memory, done, count);
    done += count;
  }
  return true;
}

}  // namespace

bool Machine::read_guest(MachineVcpu& vcpu, void* to, std::uint64_t linear, std::size_t bytes) {
  return for_each_piece(vcpu, linear, bytes, false,
                        [to](const std::byte* memory, std::size_t done, std::size_t count) {
                          std::memcpy(static_cast<std::byte*>(to) + done, memory, count);
                        });
}

bool Machine::write_guest(MachineVcpu& vcpu, std::uint64_t linear, const void* from,
                          std::size_t bytes) {
  return for_each_piece(vcpu, linear, bytes, true,
                        [from](std::byte* memory, std::size_t done, std::size_t count) {
                          std::memcpy(memory, static_cast<const std::byte*>(from) + done, count);
                        });
}

}  // namespace hyp::x86
