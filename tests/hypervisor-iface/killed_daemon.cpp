// SPDX-License-Identifier: Apache-2.0
#include "tests/hypervisor-iface/killed_daemon.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <random>
#include <thread>

namespace xl::hv::bundled {
namespace {

constexpr Pages domain_pages(512);

// Every step but the last: an error is counted by the caller.
Result<void> fill(Hypervisor& hv, DomId domain, Progress& progress, std::uint64_t dice) {
  const Extent all{Gfn(0), domain_pages};
  XL_TRY(hv.populate_physmap(domain, std::span(&all, 1)));
  progress.pages = static_cast<std::uint32_t>(domain_pages.count());
  {
    XL_TRY_ASSIGN(const GuestMapping mapping, hv.map_frames(domain, all));
    XL_TRY(mapping.write(GuestPhys(0), std::vector<std::byte>(256 << 10, std::byte{0xa5})));
  }
  for (unsigned i = 0; i < 1 + dice % 8; ++i) {
    XL_TRY_ASSIGN(const EventPort port, hv.event_alloc_unbound(domain, DomId(0)));
    XL_TRY(hv.event_bind(domain, port));
    ++progress.ports;
  }
  const GrantSeed seed{GrantRef(1), Gfn(3), DomId(0)};
  XL_TRY(hv.grant_seed(domain, std::span(&seed, 1)));
  const auto granted = hv.grant_map(domain, GrantRef(1), true);
  if (!granted) {
    return Unexpected(granted.error());
  }
  if (dice % 3 == 0) {
    XL_TRY(hv.shutdown_domain(domain, ShutdownReason::poweroff));
    progress.down = 1;
  }
  return {};
}

Result<void> cycle(Hypervisor& hv, Progress& progress, std::uint64_t dice) {
  DomainOptions options;
  options.max_memory = domain_pages + Pages(64);
  progress.pages = progress.ports = progress.down = 0;
  progress.step = Progress::creating;
  XL_TRY_ASSIGN(const DomId domain, hv.create_domain(options));
  progress.domain = domain.value();
  progress.step = Progress::made;
  XL_TRY(fill(hv, domain, progress, dice));
  progress.step = Progress::ending;
  XL_TRY(hv.destroy_domain(domain));
  progress.step = Progress::idle;
  return {};
}

}  // namespace

Ledger& shared_ledger() {
  static Ledger* const ledger = ::new (::mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE,
                                              MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Ledger();
  return *ledger;
}

pid_t fork_daemon(const std::function<void()>& life) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);  // not left behind by a test that crashes
    life();
    ::_exit(0);
  }
  return pid;
}

void kill_daemon(pid_t pid) {
  (void)::kill(pid, SIGKILL);
  (void)::waitpid(pid, nullptr, 0);
}

void churn(const Options& options, Ledger& ledger, std::uint64_t seed) {
  const auto hv = BundledHypervisor::start(options);
  if (!hv) {
    ++ledger.failures;
    return;
  }
  ledger.attached = 1;
  std::array<std::thread, Ledger::workers> threads;
  for (unsigned i = 0; i < threads.size(); ++i) {
    threads[i] = std::thread([&, i] {
      std::mt19937_64 random(seed * Ledger::workers + i);
      for (;;) {
        ledger.failures += cycle(**hv, ledger.progress[i], random()) ? 0 : 1;
        ++ledger.cycles;
      }
    });
  }
  for (pollfd entry{(*hv)->event_fd(), POLLIN, 0};;) {
    (void)::poll(&entry, 1, -1);
    (void)(*hv)->take_events();
  }
}

}  // namespace xl::hv::bundled
