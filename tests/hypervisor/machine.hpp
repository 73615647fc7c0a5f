// SPDX-License-Identifier: Apache-2.0
// Machine: a hypervisor on the fake platform, with the host's side of the ring and a guest's side
// of hypercalls as functions.
#pragma once

#include <algorithm>
#include <string>

#include "tests/hypervisor/fake_platform.hpp"

namespace hyp::test {

using TestVcpu = Vcpu<FakePlatform>;
using TestDomain = Domain<FakePlatform>;

struct Response {
  std::int32_t status = 0;
  std::array<std::uint64_t, 18> results{};
  std::vector<std::byte> bulk;
  template <typename T>
  std::vector<T> rows() const {
    std::vector<T> rows(bulk.size() / sizeof(T));
    std::memcpy(rows.data(), bulk.data(), rows.size() * sizeof(T));
    return rows;
  }
};

class Machine {
 public:
  static constexpr std::uint64_t first_frame = 512;  // RAM begins at 2 MiB

  explicit Machine(std::uint64_t mib = 64, unsigned cpus = 2)
      : platform(mib << 20), hv(std::make_unique<FakeHypervisor>(platform)) {
    platform.hypervisor = hv.get();
    InitInfo info;
    info.ranges[0] = {first_frame << 12, (mib << 20) - (first_frame << 12)};
    info.range_count = 1;
    info.cpus = cpus;
    info.tsc_khz = 1'000'000;
    info.hypervisor_pages = first_frame;
    if (!hv->init(info)) {
      __builtin_trap();
    }
    hv->announce();
  }

  Core<FakePlatform>& core() { return hv->parts().core; }

  // --- host side
  void post(xl::abi::Op op, std::uint32_t domain = 0,
            std::initializer_list<std::uint64_t> args = {}, const void* bulk = nullptr,
            std::size_t bytes = 0) {
    xl::abi::Slot& slot = slots()[posted % xl::abi::slot_count];
    slot = {};
    slot.op = static_cast<std::uint32_t>(op);
    slot.domain = domain;
    std::copy(args.begin(), args.end(), slot.args);
    slot.bulk_bytes = static_cast<std::uint32_t>(bytes);
    if (bytes != 0) {
      std::memcpy(bulk_of(posted), bulk, bytes);
    }
    ++posted;
    shared_word::store<std::uint64_t>(platform.host_area() + xl::abi::producer_offset, posted);
  }
  bool is_done(std::uint64_t number) {
    return shared_word::load<std::uint64_t>(&slots()[number % xl::abi::slot_count].done) ==
           number + 1;
  }
  Response response(std::uint64_t number) {
    const xl::abi::Slot& slot = slots()[number % xl::abi::slot_count];
    Response response;
    response.status = slot.status;
    std::copy(std::begin(slot.results), std::end(slot.results), response.results.begin());
    response.bulk.assign(bulk_of(number), bulk_of(number) + slot.bulk_bytes);
    return response;
  }
  // Posts and serves until the answer is there; other CPUs make their rounds, as a running
  // machine's do.
  Response request(xl::abi::Op op, std::uint32_t domain = 0,
                   std::initializer_list<std::uint64_t> args = {}, const void* bulk = nullptr,
                   std::size_t bytes = 0) {
    const std::uint64_t number = posted;
    post(op, domain, args, bulk, bytes);
    for (int i = 0; !is_done(number); ++i) {
      if (i == 100000) {
        stuck();
      }
      hv->serve_host(platform.cpu);
      rounds();
    }
    return response(number);
  }
  template <typename T>
  Response request_rows(xl::abi::Op op, std::uint32_t domain, const std::vector<T>& rows) {
    return request(op, domain, {}, rows.data(), rows.size() * sizeof(T));
  }

  // Every CPU goes once through its main loop.
  void rounds() {
    const unsigned keep = platform.cpu;
    for (unsigned cpu = 0; cpu < core().cpus; ++cpu) {
      round(cpu);
    }
    platform.cpu = keep;
  }
  Next<TestVcpu> round(unsigned cpu) {
    platform.cpu = cpu;
    hv->serve_host(cpu);
    return hv->schedule(cpu);
  }
  // Until nothing is left to free or scrub.
  void settle() {
    for (int i = 0; i < 100000; ++i) {
      rounds();
      platform.now += 1'000'000;
      if (!hv->idle_work(platform.cpu)) {
        return;
      }
    }
    stuck();
  }

  TestDomain& domain(std::uint32_t id) {
    return *core().domains.find(DomId(static_cast<std::uint16_t>(id)));
  }
  TestVcpu& vcpu(std::uint32_t id, unsigned number = 0) { return *domain(id).vcpus[number]; }

  // A domain with `pages` of RAM from gfn 0 on.
  std::uint32_t make(std::uint64_t pages = 64, std::uint64_t vcpus = 1) {
    const Response made = request(xl::abi::Op::create_domain, 0, {vcpus, pages + 16, 0, 1, 2});
    if (made.status != 0) {
      __builtin_trap();
    }
    const auto id = static_cast<std::uint32_t>(made.results[0]);
    if (pages != 0 &&
        request_rows<xl::abi::ExtentRecord>(xl::abi::Op::populate, id, {{0, 0, pages}}).status !=
            0) {
      __builtin_trap();
    }
    return id;
  }
  // The same, with vcpu 0 online and the pause taken away.
  std::uint32_t start(std::uint64_t pages = 64, std::uint64_t vcpus = 1) {
    const std::uint32_t id = make(pages, vcpus);
    for (std::uint64_t i = 0; i < vcpus; ++i) {
      const xl::abi::VcpuContextRecord record{};
      if (request(xl::abi::Op::set_vcpu_context, id, {i}, &record, sizeof record).status != 0) {
        __builtin_trap();
      }
    }
    request(xl::abi::Op::unpause, id);
    return id;
  }

  // --- guest side: structures lie at fixed places of the guest's memory
  std::int64_t call(TestVcpu& vcpu, std::uint64_t number, std::initializer_list<std::uint64_t> args,
                    bool wide = true) {
    HypercallFrame frame;
    frame.number = number;
    frame.wide = wide;
    std::copy(args.begin(), args.end(), frame.args.begin());
    restarts = 0;
    do {
      hv->hypercall(vcpu, frame);
      restarts += frame.restart ? 1 : 0;
    } while (frame.restart);
    return static_cast<std::int64_t>(frame.result);
  }
  static constexpr std::uint64_t arg_address = 0x1000;
  template <typename T>
  std::int64_t call_with(TestVcpu& vcpu, std::uint64_t number, std::uint64_t command, T& value,
                         bool wide = true) {
    if (!platform.write_guest(vcpu, arg_address, &value, sizeof value)) {
      __builtin_trap();
    }
    const std::int64_t result = call(vcpu, number, {command, arg_address}, wide);
    platform.read_guest(vcpu, &value, arg_address, sizeof value);
    return result;
  }
  template <typename T>
  T peek(TestVcpu& vcpu, std::uint64_t address) {
    T value{};
    platform.read_guest(vcpu, &value, address, sizeof value);
    return value;
  }
  template <typename T>
  void poke(TestVcpu& vcpu, std::uint64_t address, const T& value) {
    platform.write_guest(vcpu, address, &value, sizeof value);
  }

  xl::abi::Header& header() { return *reinterpret_cast<xl::abi::Header*>(platform.host_area()); }
  bool host_event(std::uint64_t port) {
    return shared_word::test_bit(platform.host_area() + xl::abi::pending_offset,
                                 static_cast<unsigned>(port));
  }
  void clear_host_event(std::uint64_t port) {
    shared_word::test_and_clear(platform.host_area() + xl::abi::pending_offset,
                                static_cast<unsigned>(port));
  }
  std::string log() {
    const std::uint64_t size = header().log_written;
    const auto* const text =
        reinterpret_cast<const char*>(platform.host_area() + xl::abi::log_offset);
    return std::string(text, std::min(size, xl::abi::log_size));
  }
  std::uint64_t free_frames() { return request(xl::abi::Op::host_info).results[0]; }

  bool reaped() { return hv->parts().reaper.pending_frames() == 0; }

  FakePlatform platform;
  std::unique_ptr<FakeHypervisor> hv;
  std::uint64_t posted = 0;
  int restarts = 0;

 private:
  [[noreturn]] static void stuck() { __builtin_trap(); }
  xl::abi::Slot* slots() {
    return reinterpret_cast<xl::abi::Slot*>(platform.host_area() + xl::abi::slots_offset);
  }
  std::byte* bulk_of(std::uint64_t number) {
    return platform.host_area() + xl::abi::bulk_offset +
           number % xl::abi::slot_count * xl::abi::bulk_size;
  }
};

}  // namespace hyp::test
