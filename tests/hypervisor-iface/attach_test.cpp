// SPDX-License-Identifier: Apache-2.0
// A daemon that is killed at any moment, and the next one. $XL_TEST_KILLS: how often (default 60).
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/bundled/doorbell.hpp"
#include "hypervisor-iface/bundled/ram.hpp"
#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/start.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"
#include "tests/hypervisor-iface/bundled_fixture.hpp"
#include "tests/hypervisor-iface/killed_daemon.hpp"
#include "tests/hypervisor-iface/stopped_process.hpp"

namespace xl::hv::bundled {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

unsigned kills() {
  const char* text = std::getenv("XL_TEST_KILLS");
  return text != nullptr ? static_cast<unsigned>(std::atoi(text)) : 60;
}

std::map<std::string, std::uint64_t> counters(Hypervisor& hv) {
  std::map<std::string, std::uint64_t> all;
  const auto counted = hv.counters(std::nullopt);
  EXPECT_TRUE(counted);
  for (const NamedCounter& counter : counted ? *counted : std::vector<NamedCounter>()) {
    all[counter.name] = counter.count;
  }
  return all;
}

// What no domain has. Some tables that ports and grants once needed stay the hypervisor's.
std::uint64_t free_and_own(const std::map<std::string, std::uint64_t>& counts) {
  return counts.at("frames.clean") + counts.at("frames.dirty") + counts.at("frames.offered") +
         counts.at("frames.own");
}

class Attach : public testing::Test {
 protected:
  void SetUp() override {
    // Whoever a killed daemon leaves becomes our child, so that none of them escapes the test.
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  }
  void TearDown() override {
    hv_.reset();
    EXPECT_TRUE(end_stale(directory_.path()));
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
  }

  Options options() {
    Options options = test_options(directory_.path());
    options.note = [this](const std::string& text) { notes_ += text + "\n"; };
    return options;
  }
  void start() {
    notes_.clear();
    auto started = BundledHypervisor::start(options());
    ASSERT_TRUE(started) << text_of(started.error());
    hv_ = std::move(started).value();
  }
  // Its pid; the object is gone, the hypervisor runs.
  pid_t start_and_leave() {
    start();
    const pid_t pid = hv_ ? hv_->pid() : -1;
    hv_.reset();
    return pid;
  }
  DomId make_domain(Pages pages) {
    DomainOptions wanted;
    wanted.max_memory = pages + Pages(64);
    const auto domain = hv_->create_domain(wanted);
    EXPECT_TRUE(domain);
    const Extent all{Gfn(0), pages};
    EXPECT_TRUE(hv_->populate_physmap(*domain, std::span(&all, 1)));
    return *domain;
  }
  void expect_zero_memory();
  void expect_what_the_ledger_says(const Ledger& ledger);
  void end_all_domains();

  TemporaryDir directory_;
  std::unique_ptr<BundledHypervisor> hv_;
  std::string notes_;
};

void Attach::expect_zero_memory() {
  constexpr Pages much(32 << 8);  // 32 MiB
  const DomId domain = make_domain(much);
  const auto mapping = hv_->map_frames(domain, {Gfn(0), much});
  ASSERT_TRUE(mapping);
  for (const MappedSegment& segment : mapping->segments()) {
    EXPECT_EQ(std::count(segment.bytes.begin(), segment.bytes.end(), std::byte{0}),
              static_cast<std::ptrdiff_t>(segment.bytes.size()));
  }
  EXPECT_TRUE(hv_->destroy_domain(domain));
}

void Attach::expect_what_the_ledger_says(const Ledger& ledger) {
  std::map<std::uint32_t, DomainInfo> there;
  const auto domains = hv_->list_domains();
  ASSERT_TRUE(domains) << text_of(domains.error());
  for (const DomainInfo& info : *domains) {
    EXPECT_FALSE(info.dying);
    there[info.id.value()] = info;
  }
  std::map<std::uint32_t, unsigned> bound;
  std::set<std::uint32_t> locals;
  const auto bindings = hv_->event_bindings();
  ASSERT_TRUE(bindings);
  for (const HostBinding& binding : *bindings) {
    ++bound[binding.domain.value()];
    locals.insert(binding.local.value());
    EXPECT_TRUE(there.contains(binding.domain.value())) << "a port of no domain";
  }
  const auto pending = hv_->take_events();
  ASSERT_TRUE(pending);
  std::set<std::uint32_t> fired;
  for (const EventPort port : pending->ports) {
    fired.insert(port.value());
  }
  EXPECT_EQ(fired, locals) << "all bound ports are pending after an attach";

  unsigned unsure = 0;
  for (const Progress& progress : ledger.progress) {
    const std::uint32_t step = progress.step;
    const std::uint32_t id = progress.domain;
    unsure +=
        step == Progress::creating || (step == Progress::ending && there.contains(id)) ? 1 : 0;
    if (step != Progress::made) {
      continue;
    }
    ASSERT_TRUE(there.contains(id)) << "domain " << id << " is lost";
    EXPECT_GE(there[id].memory, Pages(progress.pages));
    EXPECT_GE(bound[id], progress.ports);
    EXPECT_TRUE(progress.down == 0 || there[id].shutdown);
    const auto& changed = pending->changed_domains;
    EXPECT_EQ(
        there[id].shutdown.has_value(),
        std::count(changed.begin(), changed.end(), DomId(static_cast<std::uint16_t>(id))) != 0);
    there.erase(id);
  }
  EXPECT_LE(there.size(), unsure);
}

void Attach::end_all_domains() {
  const auto domains = hv_->list_domains();
  ASSERT_TRUE(domains);
  for (const DomainInfo& info : *domains) {
    EXPECT_TRUE(hv_->destroy_domain(info.id));
  }
  EXPECT_TRUE(hv_->event_bindings()->empty());
  while (counters(*hv_)["frames.dying"] != 0) {
  }
  EXPECT_TRUE(hv_->host_info());  // answers between two steps of the teardown: the last is over
}

TEST_F(Attach, DaemonIsKilledAtAnyMomentManyTimes) {
  start();
  expect_zero_memory();
  end_all_domains();
  const pid_t pid = hv_->pid();
  const std::uint64_t whole = free_and_own(counters(*hv_));
  hv_.reset();
  Ledger& ledger = shared_ledger();
  std::mt19937_64 random(1);
  for (unsigned round = 0; round < kills(); ++round) {
    for (Progress& progress : ledger.progress) {
      progress.step = Progress::idle;
    }
    const pid_t daemon =
        fork_daemon([&] { churn(test_options(directory_.path()), ledger, round + 1); });
    // Half of them by the clock, which mostly hits the attaching, half by what they came to.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    const std::uint32_t enough = ledger.cycles + static_cast<std::uint32_t>(random() % 8);
    const auto deadline = Clock::now() + 2s;
    while (round % 2 == 1 && ledger.cycles <= enough && Clock::now() < deadline) {
      std::this_thread::sleep_for(100us);  // words that nothing tells of
    }
    kill_daemon(daemon);
    if (round % 4 == 3) {
      continue;  // two in a row, without one that looks in between
    }
    start();
    ASSERT_TRUE(hv_ && hv_->attached()) << notes_;
    ASSERT_EQ(hv_->pid(), pid);
    if (round % 4 != 0) {
      expect_what_the_ledger_says(ledger);
    }
    end_all_domains();
    const auto counts = counters(*hv_);
    EXPECT_EQ(free_and_own(counts), whole) << "frames are lost";
    EXPECT_EQ(counts.at("domains"), 0U);
    if (round % 10 == 0) {
      expect_zero_memory();
      end_all_domains();
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "round " << round;
    hv_.reset();
  }
  EXPECT_GT(ledger.cycles, kills() / 4) << "the daemons hardly came to anything";
  EXPECT_EQ(ledger.failures, 0U);
  std::printf("%u kills, %u whole lives of domains\n", kills(), ledger.cycles.load());
}

TEST_F(Attach, DaemonIsKilledWhileItStartsTheHypervisor) {
  Ledger& ledger = shared_ledger();
  std::mt19937_64 random(2);
  unsigned attached = 0;
  const unsigned rounds = std::max(kills() / 3, 1U);
  for (unsigned round = 0; round < rounds; ++round) {
    const pid_t daemon =
        fork_daemon([&] { churn(test_options(directory_.path()), ledger, round + 1); });
    // Mostly while it boots; every fourth time in the first moments, round the start of the
    // process.
    std::this_thread::sleep_for(
        std::chrono::microseconds(random() % (round % 4 == 0 ? 6'000 : 150'000)));
    kill_daemon(daemon);
    const bool left = is_left_running(directory_.path());
    start();
    ASSERT_TRUE(hv_);
    EXPECT_EQ(hv_->attached(), left) << notes_;
    attached += hv_->attached() ? 1 : 0;
    EXPECT_TRUE(hv_->ping());
    EXPECT_TRUE(hv_->power_off());
    hv_.reset();
    EXPECT_FALSE(is_left_running(directory_.path())) << "two were running";
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    ASSERT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
  }
  std::printf("%u kills, %u of them left a process that was attached to\n", rounds, attached);
}

TEST_F(Attach, DaemonThatWasKilledBeforeItWroteTheStateFile) {
  const pid_t pid = start_and_leave();
  ASSERT_EQ(::unlink((directory_.path() + "/" + state_file_name).c_str()), 0);
  EXPECT_TRUE(is_left_running(directory_.path()));
  const auto found = find_running(directory_.path());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->pid, pid);
  start();
  EXPECT_TRUE(hv_ && hv_->attached() && hv_->pid() == pid);
  const auto state = read_state(directory_.path());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->pid, pid);
}

TEST_F(Attach, ProcessThatDoesNotBecomeAHypervisorIsEnded) {
  const auto lock = lock_running(directory_.path());
  ASSERT_TRUE(lock);
  auto other = Process::spawn({{"/bin/sleep", "1000"},
                               {{lock->get(), 3}, {lock->get(), 4}, {lock->get(), 5}},
                               directory_.path() + "/log"});
  ASSERT_TRUE(other);
  ASSERT_TRUE(lock);
  const_cast<UniqueFd&>(*lock).reset();
  Options hasty = options();
  hasty.start_timeout = 2000ms;
  auto started = BundledHypervisor::start(hasty);
  ASSERT_TRUE(started) << text_of(started.error());
  EXPECT_FALSE((*started)->attached());
  EXPECT_TRUE(wait_ended(other->fd(), 0));
  EXPECT_NE(notes_.find("had not started"), std::string::npos) << notes_;
  hv_ = std::move(started).value();
}

TEST_F(Attach, HangingHypervisorIsLeftAloneAndSaid) {
  const pid_t pid = start_and_leave();
  stop_process(pid);
  const ScopeExit go_on([pid] { ::kill(pid, SIGCONT); });
  for (int i = 0; i < 3; ++i) {  // whose connections nobody takes
    Options hasty = options();
    hasty.request_timeout = 100ms;
    const auto started = BundledHypervisor::start(hasty);
    ASSERT_FALSE(started);
    EXPECT_NE(text_of(started.error()).find("xl daemon stop --all"), std::string::npos)
        << text_of(started.error());
  }
  ::kill(pid, SIGCONT);
  start();
  EXPECT_TRUE(hv_ && hv_->attached() && hv_->pid() == pid);
}

TEST_F(Attach, OtherVersionIsLeftAloneAndSaid) {
  const pid_t pid = start_and_leave();
  const auto ram = Ram::open(pid);
  ASSERT_TRUE(ram) << text_of(ram.error());
  std::byte* const header =
      (*ram)->frames(to_mfn(HostPhys(abi::host_area_address)), Pages(1)).data();
  // SAFETY: a word of the header, naturally aligned.
  auto& version = *reinterpret_cast<std::uint32_t*>(header + offsetof(abi::Header, version));
  version = abi::version - 1;
  const auto started = BundledHypervisor::start(options());
  version = abi::version;
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::protocol);
  EXPECT_NE(text_of(started.error()).find("xl daemon stop --all"), std::string::npos);
  EXPECT_NE(text_of(started.error()).find(std::to_string(pid)), std::string::npos);
  start();
  EXPECT_TRUE(hv_ && hv_->attached());
}

TEST_F(Attach, HypervisorThatPanickedIsEndedAndOneIsStarted) {
  const pid_t pid = start_and_leave();
  {
    const auto ram = Ram::open(pid);
    ASSERT_TRUE(ram);
    area_of(**ram).state().store(static_cast<std::uint32_t>(abi::State::panicked));
  }
  start();
  ASSERT_TRUE(hv_);
  EXPECT_FALSE(hv_->attached());
  EXPECT_NE(hv_->pid(), pid);
  EXPECT_NE(notes_.find("panicked"), std::string::npos) << notes_;
}

TEST_F(Attach, MemoryAndCpusAreThoseThatRun) {
  (void)start_and_leave();
  Options other = options();
  other.memory = mib(256);
  other.cpus = 1;
  auto started = BundledHypervisor::start(other);
  ASSERT_TRUE(started);
  hv_ = std::move(started).value();
  const auto info = hv_->host_info();
  ASSERT_TRUE(info);
  EXPECT_EQ(info->cpus, 2U);
  EXPECT_GT(info->total_memory, to_pages_up(mib(400)));
  EXPECT_NE(notes_.find("512 MiB and 2 CPUs"), std::string::npos) << notes_;
}

TEST_F(Attach, MappedMemoryAndLogStayReadable) {
  start();
  const DomId domain = make_domain(Pages(512));
  const std::vector<std::byte> text(3 << 20, std::byte{7});
  ASSERT_TRUE(hv_->copy_to_guest(domain, GuestPhys(0x1000), std::span(text).first(100'000)));
  const auto log = hv_->read_log(0);
  ASSERT_TRUE(log);
  hv_.reset();
  start();
  std::vector<std::byte> back(100'000);
  ASSERT_TRUE(hv_->copy_from_guest(domain, GuestPhys(0x1000), back));
  EXPECT_TRUE(std::equal(back.begin(), back.end(), text.begin()));
  EXPECT_EQ(hv_->read_log(0)->text.substr(0, log->text.size()), log->text);
}

// As root one sees everything: so by a user who may not.
TEST_F(Attach, NeedsNoPrivilege) {
  constexpr uid_t nobody = 65534;
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(directory_.path().c_str(), nobody, nobody), 0);
  }
  Ledger& ledger = shared_ledger();
  for (int i = 0; i < 2; ++i) {
    ledger.attached = ledger.failures = 0;
    const pid_t daemon = fork_daemon([&] {
      if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) {
        ::_exit(1);
      }
      const auto started = BundledHypervisor::start(options());
      ledger.attached = started && (*started)->attached() ? 2 : 1;
      ledger.failures = started ? 0 : 1;
    });
    int status = 0;
    ASSERT_EQ(::waitpid(daemon, &status, 0), daemon);
    ASSERT_EQ(status, 0);
    EXPECT_EQ(ledger.failures, 0U);
    EXPECT_EQ(ledger.attached, i == 0 ? 1U : 2U);
  }
}

}  // namespace
}  // namespace xl::hv::bundled
