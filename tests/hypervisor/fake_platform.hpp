// SPDX-License-Identifier: Apache-2.0
// FakePlatform: a machine for the core on the host. RAM is one mapping, the clock stands still
// until a test moves it, guest linear addresses are guest physical ones. It counts what it is asked
// for and can fail where a test wants it.
#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "hypervisor/core/hypervisor.hpp"

namespace hyp::test {

struct FakePlatform;
using FakeHypervisor = Hypervisor<FakePlatform>;

struct FakePhysmapFormat {
  // The long mode format: P, R/W, U/S, A; PS in bit 7; the kind in bits 9..11.
  static constexpr std::uint64_t accessed_bits = 1U << 5;
  static constexpr std::uint64_t frame_mask = 0x000ffffffffff000;
  static std::uint64_t make_leaf(Mfn mfn, unsigned level, PageKind kind) {
    return mfn.value() << 12 | (level > 0 ? 0x80U : 0U) | static_cast<std::uint64_t>(kind) << 9 |
           (kind == PageKind::grant_ro ? 5U : 7U);
  }
  static std::uint64_t make_table(Mfn mfn) { return mfn.value() << 12 | 7U; }
  static std::uint64_t make_on_demand(unsigned level) {
    return (level > 0 ? 0x80U : 0U) | static_cast<std::uint64_t>(PageKind::on_demand) << 9;
  }
  static bool is_present(std::uint64_t entry) { return (entry & 1) != 0; }
  static bool is_leaf(std::uint64_t entry, unsigned level) {
    return level == 0 || (entry & 0x80) != 0;
  }
  static Mfn mfn(std::uint64_t entry) { return Mfn((entry & frame_mask) >> 12); }
  static PageKind kind(std::uint64_t entry) { return static_cast<PageKind>(entry >> 9 & 7); }
  static bool accessed(std::uint64_t entry) { return (entry & accessed_bits) != 0; }
};

struct FakePlatform {
  struct VcpuArch {
    xl::abi::VcpuContextRecord context{};
    std::array<std::uint64_t, 4> irr{};
    bool interrupt = false;
    unsigned nmis = 0;
  };
  struct DomainArch {
    unsigned flushes = 0;
  };
  using PhysmapFormat = FakePhysmapFormat;
  static constexpr unsigned exit_causes = 4;
  static const char* exit_name(unsigned cause) {
    static const char* const names[] = {"hlt", "cpuid", "npf", "vmmcall"};
    return names[cause];
  }

  explicit FakePlatform(std::uint64_t bytes) : size(bytes) {
    void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ram = static_cast<std::byte*>(at == MAP_FAILED ? nullptr : at);
    area.resize(xl::abi::host_area_size / 8);
  }
  FakePlatform(const FakePlatform&) = delete;
  FakePlatform& operator=(const FakePlatform&) = delete;
  ~FakePlatform() { ::munmap(ram, size); }

  // --- clock: 1 tsc = 1 ns
  std::uint64_t now_ns() { return now += now_step; }
  ClockSample clock_sample() { return {0, 0}; }
  ClockScale clock_scale() { return {0x80000000U, 1}; }
  std::uint64_t wall_clock_ns() { return 1'700'000'000'123'456'789ULL; }
  // --- cpus
  unsigned cpu_id() const { return cpu; }
  static void relax() { std::this_thread::yield(); }
  void kick_cpu(unsigned which) { kicks.at(which)++; }
  void flush_physmap(Domain<FakePlatform>& domain) { ++domain.arch.flushes; }
  // --- memory
  std::byte* frame(Mfn mfn) {
    if (mfn.value() * xl::page_size >= size) {
      __builtin_trap();
    }
    return ram + mfn.value() * xl::page_size;
  }
  Mfn frame_of(const void* pointer) {
    return Mfn(static_cast<std::uint64_t>(static_cast<const std::byte*>(pointer) - ram) /
               xl::page_size);
  }
  std::byte* host_area() { return reinterpret_cast<std::byte*>(area.data()); }
  void ring_host() { ++rings; }
  // --- guest memory: linear is physical
  template <typename Copy>
  bool each(Vcpu<FakePlatform>& vcpu, std::uint64_t linear, std::size_t bytes, bool write,
            Copy copy) {
    if (bytes > ~0ULL - linear) {
      return false;
    }
    for (std::size_t done = 0; done < bytes;) {
      const std::uint64_t at = linear + done;
      const Result<PhysmapEntry> entry = touch(vcpu, Gfn(at >> 12));
      if (!entry || entry->kind == PageKind::none ||
          (write && entry->kind == PageKind::grant_ro)) {
        return false;
      }
      const std::size_t part = std::min<std::size_t>(bytes - done, 4096 - (at & 4095));
      copy(frame(entry->mfn) + (at & 4095), done, part);
      done += part;
    }
    return true;
  }
  Result<PhysmapEntry> touch(Vcpu<FakePlatform>& vcpu, Gfn gfn);
  bool read_guest(Vcpu<FakePlatform>& vcpu, void* to, std::uint64_t linear, std::size_t bytes) {
    return each(vcpu, linear, bytes, false, [to](std::byte* at, std::size_t done, std::size_t n) {
      std::memcpy(static_cast<std::byte*>(to) + done, at, n);
    });
  }
  bool write_guest(Vcpu<FakePlatform>& vcpu, std::uint64_t linear, const void* from,
                   std::size_t bytes) {
    return each(vcpu, linear, bytes, true, [from](std::byte* at, std::size_t done, std::size_t n) {
      std::memcpy(at, static_cast<const std::byte*>(from) + done, n);
    });
  }
  bool interrupt_pending(const Vcpu<FakePlatform>& vcpu) const { return vcpu.arch.interrupt; }
  void assert_vector(Vcpu<FakePlatform>& vcpu, std::uint8_t vector) {
    vcpu.arch.irr[vector / 64] |= 1ULL << (vector % 64);
    vcpu.arch.interrupt = true;
  }
  void raise_nmi(Vcpu<FakePlatform>& vcpu) { ++vcpu.arch.nmis; }
  void switch_out(Vcpu<FakePlatform>&) { ++switches; }
  void lapic_timer_fired(Vcpu<FakePlatform>& vcpu) { vcpu.arch.interrupt = true; }
  // --- life cycle
  Result<void> init_domain(Domain<FakePlatform>&) {
    if (fail_init_domain) {
      return fail(Errno::nomem);
    }
    ++domains;
    return {};
  }
  void destroy_domain(Domain<FakePlatform>&) { --domains; }
  Result<void> init_vcpu(Vcpu<FakePlatform>& vcpu) {
    if (vcpu.id.value() == fail_init_vcpu) {
      return fail(Errno::nomem);
    }
    ++vcpus;
    return {};
  }
  void destroy_vcpu(Vcpu<FakePlatform>&) { --vcpus; }
  void get_context(const Vcpu<FakePlatform>& vcpu, xl::abi::VcpuContextRecord& record) {
    record = vcpu.arch.context;
  }
  Result<void> set_context(Vcpu<FakePlatform>& vcpu, const xl::abi::VcpuContextRecord& record) {
    if (record.cr0 == 0xbad) {
      return fail(Errno::inval);
    }
    vcpu.arch.context = record;
    return {};
  }
  Result<void> initialise_vcpu(Vcpu<FakePlatform>& vcpu, const vcpu_hvm_context& context) {
    vcpu.arch.context.rip = context.cpu_regs.x86_64.rip;
    return {};
  }

  FakeHypervisor* hypervisor = nullptr;  // for touch()
  std::uint64_t size;
  std::byte* ram = nullptr;
  std::vector<std::uint64_t> area;
  std::atomic<std::uint64_t> now{1'000'000'000};
  std::uint64_t now_step = 0;  // what each look at the clock takes
  inline static thread_local unsigned cpu = 0;  // a thread plays a CPU
  std::array<std::atomic<unsigned>, max_cpus> kicks{};
  std::atomic<unsigned> rings{0};
  std::atomic<unsigned> switches{0};
  std::atomic<int> domains{0};
  std::atomic<int> vcpus{0};
  bool fail_init_domain = false;
  unsigned fail_init_vcpu = ~0U;
};
static_assert(Platform<FakePlatform>);

}  // namespace hyp::test

// Compiled once, in fake_platform.cpp.
extern template class hyp::Hypervisor<hyp::test::FakePlatform>;
extern template class hyp::Frames<hyp::test::FakePlatform>;
