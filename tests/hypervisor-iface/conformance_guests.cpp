// SPDX-License-Identifier: Apache-2.0
// Each tiny guest on each hypervisor that runs guests: what it checks of the ABI holds on both.
#include "tests/hypervisor-iface/conformance_guests.hpp"

#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <utility>

namespace xl::hv {

GuestEnd GuestConformance::run(const GuestRun& run) {
  const auto guest = start(run);
  if (guest == nullptr) {
    return {};
  }
  guest->until_it_ends();
  return {guest->output(), guest->reason()};
}

std::string GuestConformance::passes(const GuestRun& run, const std::string& name) {
  const GuestEnd end = this->run(run);
  EXPECT_TRUE(has(end.output, "PASS " + (name.empty() ? run.name : name) + "\n")) << end.output;
  EXPECT_EQ(end.reason, ShutdownReason::poweroff) << end.output;
  return end.output;
}

namespace {

TEST_F(GuestConformance, Hello) {
  const std::string output = passes({"hello", "one two=3"});
  EXPECT_TRUE(has(output, "hello from a 64-bit domain on Xen 4.17\n")) << output;
  EXPECT_TRUE(has(output, "command line: one two=3\n")) << output;
}

TEST_F(GuestConformance, HelloIn32Bits) {
  EXPECT_TRUE(has(passes({"hello32"}), "hello from a 32-bit domain"));
}

// "fact = value" lines by fact; what is no such line is none.
std::map<std::string, std::string> facts(std::istream&& text) {
  std::map<std::string, std::string> all;
  for (std::string line; std::getline(text, line);) {
    if (const auto middle = line.find(" = "); middle != std::string::npos) {
      all[line.substr(0, middle)] = line.substr(middle + 3);
    }
  }
  return all;
}

}  // namespace

// GUEST.golden is what the real Xen says. Where the bundled hypervisor says something else, it is
// in GUEST.bundled, and docs/two-hypervisors.md says why.
void GuestConformance::sees_what_is_expected(const GuestRun& run) {
  const std::string files = XL_TEST_ABI "/" + run.name;
  auto expected = facts(std::ifstream(files + ".golden"));
  if (traits().is_ours) {
    for (const auto& [fact, value] : facts(std::ifstream(files + ".bundled"))) {
      EXPECT_NE(expected[fact], value) << fact << " is as Xen's: abi.bundled need not name it";
      expected[fact] = value;
    }
  }
  const std::string output = passes(run);
  const auto seen = facts(std::istringstream(output));
  for (const auto& [fact, value] : seen) {
    EXPECT_EQ(expected[fact], value) << fact;
  }
  EXPECT_EQ(seen.size(), expected.size());
  if (HasFailure()) {
    std::cerr << output;
  }
}

namespace {

TEST_F(GuestConformance, WhatADomainSees) {
  sees_what_is_expected({"abi"});
}

TEST_F(GuestConformance, WhatTheVcpusOfADomainSee) {
  sees_what_is_expected({"abi-cpus", "", mib(16), 4});
}

TEST_F(GuestConformance, WhatA32BitKernelFinds) {
  sees_what_is_expected({"abi32"});
}

TEST_F(GuestConformance, Exceptions) {
  passes({"exceptions"});
}

TEST_F(GuestConformance, Events) {
  passes({"events"});
}

TEST_F(GuestConformance, Timers) {
  passes({"timers"});
}

TEST_F(GuestConformance, MemoryIsWhatTheMapSays) {
  EXPECT_TRUE(has(passes({"memory", "", mib(8)}), "RAM 8 MiB"));
  EXPECT_TRUE(has(passes({"memory", "", mib(33)}), "RAM 33 MiB"));
  EXPECT_TRUE(has(passes({"memory", "", mib(200)}), "RAM 200 MiB"));
}

TEST_F(GuestConformance, NothingOfAnEarlierDomainIsInMemory) {
  passes({"scrub", "", mib(8)});
  passes({"scrub", "", mib(8)});
}

TEST_F(GuestConformance, CodeIsItsOwnAfterAnotherDomains) {
  EXPECT_TRUE(has(passes({"reuse-a"}, "reuse"), "reuse from 10000"));
  EXPECT_TRUE(has(passes({"reuse-b"}, "reuse"), "reuse from 20000"));
}

TEST_F(GuestConformance, Spins) {
  passes({"spin", "seconds=1"});
}

TEST_F(GuestConformance, SeveralCpus) {
  for (const std::uint32_t cpus : {2U, 4U}) {
    EXPECT_TRUE(has(passes({"smp", "cpus=" + std::to_string(cpus), mib(16), cpus}),
                    std::to_string(cpus) + " cpus ran"));
  }
}

TEST_F(GuestConformance, VcpusStartInEachMode) {
  const std::string output = passes({"vcpus", "", mib(16), 1, 4});
  for (const char* line :
       {"vcpu 1 ran in mode 16", "vcpu 2 ran in mode 32", "vcpu 3 ran in mode 64"}) {
    EXPECT_TRUE(has(output, line)) << output;
  }
}

TEST_F(GuestConformance, WatchdogBites) {
  const GuestEnd end = run({"watchdog"});
  EXPECT_EQ(end.reason, ShutdownReason::watchdog) << end.output;
  EXPECT_TRUE(has(end.output, "now it bites")) << end.output;
}

TEST_F(GuestConformance, EndsInEachWay) {
  const std::pair<const char*, ShutdownReason> ways[] = {
      {"shutdown", ShutdownReason::crash}, {"triple", ShutdownReason::reboot},
      {"hole", ShutdownReason::crash},     {"stack", ShutdownReason::reboot},
      {"reboot", ShutdownReason::reboot},  {"poweroff", ShutdownReason::poweroff}};
  for (const auto& [way, reason] : ways) {
    const GuestEnd end = run({"crash", way});
    EXPECT_EQ(end.reason, reason) << way << ": " << end.output;
    // Code where no memory is: #GP, which this guest reports by itself.
    EXPECT_EQ(has(end.output, "trap 13"), way == std::string("hole")) << end.output;
  }
}

// What the toolstack looks for, to say why a domain starts again and again.
TEST_F(GuestConformance, ATripleFaultIsInTheLog) {
  const auto before = hv().read_log(0);
  ASSERT_TRUE(ok(before));
  const auto guest = start({"crash", "triple"});
  ASSERT_TRUE(guest && guest->until_it_ends());
  const auto after = hv().read_log(before->next);
  ASSERT_TRUE(ok(after));
  std::istringstream lines(after->text);
  const std::string name = "d" + std::to_string(guest->id().value());
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    found = found || (has(line, "riple fault") && has(line, name));
  }
  EXPECT_TRUE(found) << after->text;
}

TEST_F(GuestConformance, AHostileGuestHarmsNobody) {
  for (const char* seed : {"seed=1 calls=3000", "seed=2 calls=3000"}) {
    const GuestEnd end = run({"fuzz", seed});
    EXPECT_TRUE(ok(hv().ping())) << seed;
    EXPECT_FALSE(has(end.output, "FAIL")) << end.output;
  }
}

}  // namespace
}  // namespace xl::hv
