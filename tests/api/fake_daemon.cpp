// SPDX-License-Identifier: Apache-2.0
// xld on the fake hypervisor, for tests of the whole command line where no QEMU is needed. A
// "guest" prints one line when it is unpaused and then does what XLD_FAKE_GUEST says: poweroff,
// reboot, crash, or idle (also without the variable).
#include <cstdint>

// The ABI's headers need the types from there.
#include <xen/hvm/params.h>
#include <xen/io/console.h>

#include <cstdlib>
#include <span>
#include <string>
#include <thread>

#include "hypervisor-iface/fake/fake_hypervisor.hpp"
#include "xld/daemon.hpp"

namespace {

using xl::DomId;
using xl::hv::fake::FakeHypervisor;

// A failed step means that the domain has gone meanwhile: the guest ends with it.
bool print(FakeHypervisor& fake, DomId id, const std::string& text) {
  const auto frame = fake.get_hvm_param(id, HVM_PARAM_CONSOLE_PFN);
  const auto port = fake.get_hvm_param(id, HVM_PARAM_CONSOLE_EVTCHN);
  if (!frame || !port) {
    return false;
  }
  const xl::GuestPhys page = xl::to_phys(xl::Gfn(*frame));
  const auto produced = static_cast<std::uint32_t>(text.size());
  return fake.guest_write(id, page + xl::Bytes(offsetof(xencons_interface, out)),
                          std::as_bytes(std::span(text)))
             .has_value() &&
         fake.guest_write(id, page + xl::Bytes(offsetof(xencons_interface, out_prod)),
                          std::as_bytes(std::span(&produced, 1)))
             .has_value() &&
         fake.guest_notify(id, xl::EventPort(static_cast<std::uint32_t>(*port))).has_value();
}

void run_guest(FakeHypervisor& fake, DomId id, const std::string& behaviour) {
  if (!print(fake, id, "Hello from domain " + std::to_string(id.value()) + "\r\n")) {
    return;
  }
  using xl::hv::ShutdownReason;
  const std::pair<const char*, ShutdownReason> ends[] = {{"poweroff", ShutdownReason::poweroff},
                                                         {"reboot", ShutdownReason::reboot},
                                                         {"crash", ShutdownReason::crash}};
  for (const auto& [name, reason] : ends) {
    if (behaviour == name) {
      static_cast<void>(fake.guest_shutdown(id, reason).has_value());
    }
  }
}

// The fake with the guests' thread, which ends before it.
xl::Result<std::unique_ptr<xl::hv::Hypervisor>> start() {
  const char* chosen = std::getenv("XLD_FAKE_GUEST");
  const std::string behaviour = chosen == nullptr ? "idle" : chosen;
  auto fake = std::make_unique<FakeHypervisor>();
  fake->set_hook([&hypervisor = *fake, behaviour](const xl::hv::fake::CallRecord& call) {
    // The guest's first instruction runs while domain 0 still is in the call that lets it run.
    if (call.call == xl::hv::fake::Call::unpause && call.domain != DomId(0)) {
      run_guest(hypervisor, call.domain, behaviour);
    }
  });
  return std::unique_ptr<xl::hv::Hypervisor>(std::move(fake));
}

xl::daemon::Backend choose(const xl::daemon::Options&) {
  return {start, nullptr, [] { return xl::Result<void>(); }};
}

}  // namespace

int main(int count, char** words) {
  return xl::daemon::run(count, words, choose);
}
