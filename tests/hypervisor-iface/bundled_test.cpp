// SPDX-License-Identifier: Apache-2.0
// The bundled hypervisor's process: start, end, death, hang, what a daemon finds of an earlier one.
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/bundled/process.hpp"
#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"
#include "tests/hypervisor-iface/bundled_fixture.hpp"
#include "tests/hypervisor-iface/stopped_process.hpp"

namespace xl::hv::bundled {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// What the issue promises for a hypervisor that died or hangs, with a little for a loaded machine.
constexpr auto promised = 2000ms + 500ms;

bool readable(int fd, int timeout_ms) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, timeout_ms) == 1;
}

TEST_F(BundledTest, AnswersAndLogs) {
  for (int i = 0; i < 1000; ++i) {
    const auto pong = hypervisor_->ping();
    ASSERT_TRUE(pong) << text_of(pong.error());
  }
  const auto log = hypervisor_->read_log(0);
  ASSERT_TRUE(log);
  EXPECT_FALSE(log->text.empty());
  EXPECT_EQ(log->next, log->text.size());
}

TEST_F(BundledTest, HostInfoIsOfThisMachine) {
  const auto info = hypervisor_->host_info();
  ASSERT_TRUE(info) << text_of(info.error());
  EXPECT_EQ(info->hypervisor, "bundled");
  EXPECT_EQ(info->cpus, 2U);
  EXPECT_GT(info->cpu_khz, 100'000U);
  EXPECT_LE(info->total_memory, to_pages_up(mib(512)));
  EXPECT_GT(info->free_memory, to_pages_up(mib(400)));
  EXPECT_NE(info->machine.find("qemu"), std::string::npos) << info->machine;
}

TEST_F(BundledTest, ManyThreadsAskAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        failures += hypervisor_->ping() ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failures, 0);
}

TEST_F(BundledTest, KilledProcessIsNoticedAtOnce) {
  ::kill(hypervisor_->pid(), SIGKILL);
  ASSERT_TRUE(readable(hypervisor_->event_fd(), 2000));
  const auto start = Clock::now();
  const auto pending = hypervisor_->take_events();
  ASSERT_TRUE(pending);
  EXPECT_TRUE(pending->hypervisor_gone);
  const auto pong = hypervisor_->ping();
  ASSERT_FALSE(pong);
  EXPECT_EQ(pong.error().code, ErrorCode::hypervisor_gone);
  EXPECT_NE(pong.error().message.find("signal 9"), std::string::npos) << pong.error().message;
  EXPECT_LT(Clock::now() - start, promised);
}

TEST_F(BundledTest, KillWakesWaitingCallers) {
  stop_process(hypervisor_->pid());  // so that a caller waits
  std::thread killer([pid = hypervisor_->pid()] {
    std::this_thread::sleep_for(200ms);
    ::kill(pid, SIGKILL);
  });
  const auto start = Clock::now();
  const auto pong = hypervisor_->ping();
  killer.join();
  ASSERT_FALSE(pong);
  EXPECT_EQ(pong.error().code, ErrorCode::hypervisor_gone);
  EXPECT_LT(Clock::now() - start, 1500ms);
}

TEST_F(BundledTest, HangingProcessFailsCallsInTimeAndComesBack) {
  const pid_t pid = hypervisor_->pid();
  stop_process(pid);
  const ScopeExit go_on([pid] { ::kill(pid, SIGCONT); });
  auto start = Clock::now();
  auto pong = hypervisor_->ping();
  ASSERT_FALSE(pong);
  EXPECT_EQ(pong.error().code, ErrorCode::hypervisor_gone);
  EXPECT_LT(Clock::now() - start, promised);

  start = Clock::now();
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(hypervisor_->host_info());
  }
  EXPECT_LT(Clock::now() - start, 200ms);  // the further ones do not wait again

  ::kill(pid, SIGCONT);
  const auto deadline = Clock::now() + 5s;
  do {
    pong = hypervisor_->ping();
    std::this_thread::yield();
  } while (!pong && Clock::now() < deadline);
  EXPECT_TRUE(pong);
}

TEST_F(BundledTest, TerminateEndsTheProcessAndLeavesNoState) {
  const pid_t pid = hypervisor_->pid();
  const auto started_at = start_time_of(pid);
  ASSERT_TRUE(started_at);
  hypervisor_->terminate();
  EXPECT_FALSE(open_process(pid, *started_at));
  EXPECT_FALSE(read_state(directory_.path()));
  EXPECT_FALSE(hypervisor_->ping());
}

TEST_F(BundledTest, OutlivesItsObjectAndTheNextAttaches) {
  const auto state = read_state(directory_.path());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->pid, hypervisor_->pid());
  EXPECT_FALSE(hypervisor_->attached());
  hypervisor_.reset();
  EXPECT_TRUE(open_process(state->pid, state->start_time));

  auto next = BundledHypervisor::start(test_options(directory_.path()));
  ASSERT_TRUE(next) << text_of(next.error());
  hypervisor_ = std::move(next).value();
  EXPECT_TRUE(hypervisor_->attached());
  EXPECT_EQ(hypervisor_->pid(), state->pid);
  EXPECT_TRUE(hypervisor_->ping());
}

TEST_F(BundledTest, NoZombieStays) {
  const pid_t first = hypervisor_->pid();
  ::kill(first, SIGKILL);
  ASSERT_TRUE(readable(hypervisor_->event_fd(), 2000));
  hypervisor_.reset();
  EXPECT_FALSE(start_time_of(first)) << "a killed one";

  hypervisor_ = std::move(BundledHypervisor::start(test_options(directory_.path()))).value();
  const pid_t second = hypervisor_->pid();
  hypervisor_.reset();  // left running
  ASSERT_TRUE(end_stale(directory_.path()));
  EXPECT_FALSE(start_time_of(second)) << "one that was ended without its object";
}

TEST_F(BundledTest, SecondDaemonInTheSameDirectoryIsRefused) {
  const auto second = BundledHypervisor::start(test_options(directory_.path()));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  EXPECT_TRUE(hypervisor_->ping());
}

TEST_F(BundledTest, MemoryOfADestroyedDomainGoesBackToTheHost) {
  const std::string ram = "/proc/" + std::to_string(hypervisor_->pid()) + "/fd/3";
  const auto resident = [&] {
    struct stat info {};
    EXPECT_EQ(::stat(ram.c_str(), &info), 0);
    return Bytes(static_cast<std::uint64_t>(info.st_blocks) * 512);
  };
  const Bytes before = resident();
  DomainOptions options;
  options.max_memory = to_pages_up(mib(64));
  const auto domain = hypervisor_->create_domain(options);
  ASSERT_TRUE(domain);
  const Extent all{Gfn(0), options.max_memory};
  ASSERT_TRUE(hypervisor_->populate_physmap(*domain, std::span(&all, 1)));
  {
    const auto mapping = hypervisor_->map_frames(*domain, all);
    ASSERT_TRUE(mapping);
    ASSERT_TRUE(mapping->write(GuestPhys(0), std::vector(64 << 20, std::byte{1})));
  }
  EXPECT_GE(resident(), before + mib(64));
  ASSERT_TRUE(hypervisor_->destroy_domain(*domain));
  const auto deadline = Clock::now() + 20s;
  while (resident() > before + mib(4) && Clock::now() < deadline) {
    std::this_thread::sleep_for(10ms);  // nothing tells of it
  }
  EXPECT_LE(resident(), before + mib(4));
}

TEST_F(BundledTest, ProcessIsConfined) {
  std::ifstream status("/proc/" + std::to_string(hypervisor_->pid()) + "/status");
  const std::string text((std::istreambuf_iterator<char>(status)), {});
  EXPECT_NE(text.find("\nSeccomp:\t2\n"), std::string::npos) << text;
}

TEST_F(BundledTest, NobodyElseMayRing) {
  struct stat info {};
  ASSERT_EQ(::stat((directory_.path() + "/" + doorbell_name).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST(BundledStart, QemuThatFailsIsAnErrorWithItsLastWords) {
  const TemporaryDir directory;
  Options options = test_options(directory.path());
  options.qemu = directory.path() + "/qemu";
  std::ofstream(options.qemu) << "#!/bin/sh\necho cannot do that >&2\nexit 3\n";
  ASSERT_EQ(::chmod(options.qemu.c_str(), 0700), 0);
  const auto started = BundledHypervisor::start(options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::hypervisor_gone);
  const std::string text = text_of(started.error());
  EXPECT_NE(text.find("exit status 3"), std::string::npos) << text;
  EXPECT_NE(text.find("cannot do that"), std::string::npos) << text;
  EXPECT_FALSE(read_state(directory.path()));
}

TEST(BundledStart, QemuThatIsMissingIsAnErrorWithTheCure) {
  const TemporaryDir directory;
  Options options = test_options(directory.path());
  options.qemu = directory.path() + "/none";
  const auto started = BundledHypervisor::start(options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::not_found);
  EXPECT_NE(started.error().hint.find("PATH"), std::string::npos);
}

TEST(BundledStart, HypervisorThatNeverGetsReadyIsAnErrorInTime) {
  const TemporaryDir directory;
  Options options = test_options(directory.path());
  options.qemu = directory.path() + "/qemu";
  options.start_timeout = 100ms;
  std::ofstream(options.qemu) << "#!/bin/sh\nexec sleep 1000\n";
  ASSERT_EQ(::chmod(options.qemu.c_str(), 0700), 0);
  const auto started = BundledHypervisor::start(options);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::timeout);
}

TEST(BundledStart, DirectoryPathMayBeLong) {
  const TemporaryDir directory;
  const std::string deep = directory.path() + "/" + std::string(150, 'd');
  auto started = BundledHypervisor::start(test_options(deep));
  ASSERT_TRUE(started) << text_of(started.error());
  EXPECT_TRUE((*started)->ping());
  (*started)->terminate();
}

TEST(BundledStart, DirectoryThatOthersMayWriteToIsRefused) {
  const TemporaryDir directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
  const auto started = BundledHypervisor::start(test_options(directory.path()));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::permission_denied);
}

}  // namespace
}  // namespace xl::hv::bundled
