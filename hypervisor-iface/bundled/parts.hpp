// SPDX-License-Identifier: Apache-2.0
// What BundledHypervisor consists of. Private to bundled/.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"
#include "hypervisor-iface/bundled/janitor.hpp"
#include "hypervisor-iface/bundled/monitor.hpp"
#include "hypervisor-iface/bundled/process.hpp"
#include "hypervisor-iface/bundled/qemu_command.hpp"
#include "hypervisor-iface/bundled/ram.hpp"
#include "hypervisor-iface/bundled/ring_client.hpp"
#include "hypervisor-iface/bundled/start.hpp"
#include "hypervisor-iface/bundled/wire.hpp"

namespace xl::hv::bundled {

// Declared in the order of construction; destruction stops the threads before what they use goes.
struct BundledHypervisor::Parts {
  explicit Parts(Connection link)
      : machine(std::move(link.machine)),
        ram(std::move(link.ram)),
        area(link.area),
        doorbell(std::move(link.doorbell)),
        process(std::move(link.process)) {}

  bool attached = false;
  std::string runtime_dir;
  UniqueFd lock;
  Machine machine;
  std::shared_ptr<Ram> ram;
  HostArea area;
  Doorbell doorbell;
  Process process;
  std::unique_ptr<RingClient> ring;
  std::shared_ptr<Chores> chores = std::make_shared<Chores>();
  std::unique_ptr<Janitor> janitor;
  std::unique_ptr<Monitor> monitor;
  std::once_flag version_once;
  std::string qemu_version;

  // With the process running and ready.
  Result<void> start_threads(const Options& options);
  // Of one that an earlier process used; with the threads.
  Result<void> take_over();

  // One request; a status that is not 0 is an error.
  Result<Response> ask(const Request& request) const;
  Result<Response> ask(abi::Op op, DomId domain, std::initializer_list<std::uint64_t> args = {},
                       std::span<const std::byte> bulk = {}) const;
  // The same for those that answer nothing.
  Result<void> tell(abi::Op op, DomId domain, std::initializer_list<std::uint64_t> args = {},
                    std::span<const std::byte> bulk = {}) const;
};

// Records as the bytes of a request's bulk.
template <typename Record>
std::span<const std::byte> bytes_of(const std::vector<Record>& records) {
  return std::as_bytes(std::span(records));
}

}  // namespace xl::hv::bundled
