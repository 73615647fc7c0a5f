// SPDX-License-Identifier: Apache-2.0
// The whole core, instantiated for a platform that is only declared: compiled with the hypervisor's
// flags by either compiler. The build checks that it needs nothing but the memory functions and has
// no dynamic initialiser.
#include "hypervisor/core/hypervisor.hpp"

namespace hyp::test {

struct BareFormat {
  static constexpr std::uint64_t accessed_bits = 1U << 5;
  static std::uint64_t make_leaf(Mfn mfn, unsigned level, PageKind kind);
  static std::uint64_t make_table(Mfn mfn);
  static std::uint64_t make_on_demand(unsigned level);
  static bool is_present(std::uint64_t entry);
  static bool is_leaf(std::uint64_t entry, unsigned level);
  static Mfn mfn(std::uint64_t entry);
  static PageKind kind(std::uint64_t entry);
  static bool accessed(std::uint64_t entry);
};

struct BarePlatform {
  struct VcpuArch {};
  struct DomainArch {};
  using PhysmapFormat = BareFormat;
  static constexpr unsigned exit_causes = 8;
  static const char* exit_name(unsigned cause);
  std::uint64_t now_ns();
  ClockSample clock_sample();
  ClockScale clock_scale();
  std::uint64_t wall_clock_ns();
  unsigned cpu_id() const;
  static void relax();
  void kick_cpu(unsigned cpu);
  void flush_physmap(Domain<BarePlatform>& domain);
  std::byte* frame(Mfn mfn);
  Mfn frame_of(const void* pointer);
  std::byte* host_area();
  void ring_host();
  bool read_guest(Vcpu<BarePlatform>& vcpu, void* to, std::uint64_t linear, std::size_t bytes);
  bool write_guest(Vcpu<BarePlatform>& vcpu, std::uint64_t linear, const void* from,
                   std::size_t bytes);
  bool interrupt_pending(const Vcpu<BarePlatform>& vcpu) const;
  void assert_vector(Vcpu<BarePlatform>& vcpu, std::uint8_t vector);
  void raise_nmi(Vcpu<BarePlatform>& vcpu);
  void switch_out(Vcpu<BarePlatform>& vcpu);
  void lapic_timer_fired(Vcpu<BarePlatform>& vcpu);
  Result<void> init_domain(Domain<BarePlatform>& domain);
  void destroy_domain(Domain<BarePlatform>& domain);
  Result<void> init_vcpu(Vcpu<BarePlatform>& vcpu);
  void destroy_vcpu(Vcpu<BarePlatform>& vcpu);
  void get_context(const Vcpu<BarePlatform>& vcpu, xl::abi::VcpuContextRecord& record);
  Result<void> set_context(Vcpu<BarePlatform>& vcpu, const xl::abi::VcpuContextRecord& record);
  Result<void> initialise_vcpu(Vcpu<BarePlatform>& vcpu, const vcpu_hvm_context& context);
};
static_assert(Platform<BarePlatform>);

constinit BarePlatform platform;
constinit Hypervisor<BarePlatform> hypervisor{platform};

}  // namespace hyp::test

template class hyp::Hypervisor<hyp::test::BarePlatform>;
