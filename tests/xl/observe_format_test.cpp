// SPDX-License-Identifier: Apache-2.0
// Events and top as text.
#include <gtest/gtest.h>

#include <cstdlib>

#include "xl/format/events.hpp"
#include "xl/format/top.hpp"

namespace xl::cli {
namespace {

class EventText : public testing::Test {
 protected:
  EventText() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    event_.time_ms = 1'700'000'000'123;
    event_.domid = 3;
    event_.name = "guest";
  }
  api::EventView event_;
};

TEST_F(EventText, WithoutFacts) {
  event_.event = "created";
  EXPECT_EQ(event_line(event_), "2023-11-14 22:13:20.123  created       3  guest\n");
}

TEST_F(EventText, FactsAreOneWordEach) {
  event_.event = "shutdown";
  event_.end = api::EndView{"crash", "two\x1b words", "", "restart", 4, ""};
  event_.details = {{"flag", true}, {"number", std::uint64_t{7}}, {"text", std::string("x")}};
  EXPECT_EQ(event_line(event_),
            "2023-11-14 22:13:20.123  shutdown      3  guest  reason=crash action=restart "
            "successor=4 last_line='two? words' flag=true number=7 text=x\n");
}

api::DomainView domain(std::uint16_t id, const std::string& name, std::uint64_t cpu_seconds) {
  api::DomainView view;
  view.domid = id;
  view.name = name;
  view.cpu_time_ns = cpu_seconds * 1'000'000'000;
  view.memory_kib = 1024 * id;
  view.max_memory_kib = 4096 * id;
  view.vcpus_online = id;
  view.blocked = true;
  return view;
}

class TopText : public testing::Test {
 protected:
  TopText() {
    now_.domains = {domain(0, "Domain-0", 9), domain(1, "b", 5), domain(2, "a-very-long-name", 30)};
    now_.domains[0].max_memory_kib = 8192;
    now_.domains[2].shutdown_reason = "crash";
    now_.time_ns = 12'000'000'000;
    before_ = now_;
    before_.time_ns = 2'000'000'000;
    before_.domains[1].cpu_time_ns = 0;  // 5 s in 10
    before_.domains[2].domid = 7;        // another domain
  }
  // The first words of the lines.
  std::vector<std::string> names(std::size_t sort) {
    options_.sort = sort;
    std::vector<std::string> words;
    for (const TopLine& line : top_table(before_, now_, options_)) {
      const std::size_t start = line.text.find_first_not_of(' ');
      words.push_back(line.text.substr(start, line.text.find(' ', start) - start));
    }
    return words;
  }
  TopSample before_, now_;
  TopOptions options_;
};

TEST_F(TopText, ColumnsAreXentops) {
  const auto lines = top_table(before_, now_, options_);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[0].header);
  EXPECT_EQ(lines[0].text,
            "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS "
            "NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID");
  EXPECT_EQ(lines[1].text,
            "a-very-lon -sbc--         30    0.0       2048   25.0       8192     100.0     2    0 "
            "       0        0    0        0        0        0          0          0    0");
  EXPECT_EQ(lines[2].text,
            "         b --b---          5   50.0       1024   12.5       4096      50.0     1    0 "
            "       0        0    0        0        0        0          0          0    0");
  EXPECT_EQ(lines[2].text.substr(lines[2].bold_from, lines[2].bold_to), "         b");
}

TEST_F(TopText, SortsAsXentop) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(0), (Names{"NAME", "a-very-lon", "b", "Domain-0"}));
  EXPECT_EQ(names(1), (Names{"NAME", "a-very-lon", "Domain-0", "b"}));  // shut down first
  EXPECT_EQ(names(2), (Names{"NAME", "a-very-lon", "Domain-0", "b"}));
  EXPECT_EQ(names(3), (Names{"NAME", "b", "Domain-0", "a-very-lon"}));
  EXPECT_EQ(names(8), (Names{"NAME", "a-very-lon", "b", "Domain-0"}));
  EXPECT_EQ(names(18), (Names{"NAME", "Domain-0", "b", "a-very-lon"}));
}

TEST_F(TopText, FirstHeaderAndNames) {
  options_.first = 99;
  EXPECT_EQ(names(0), (std::vector<std::string>{"NAME", "Domain-0"}));
  EXPECT_EQ(options_.first, 2U);
  options_.first = 0;
  options_.repeat_header = options_.full_names = true;
  EXPECT_EQ(names(0), (std::vector<std::string>{"NAME", "a-very-long-name", "NAME", "b", "NAME",
                                                "Domain-0"}));
}

TEST_F(TopText, Vcpus) {
  options_.vcpus = true;
  now_.domains.resize(2);
  for (const std::uint32_t vcpu : {0U, 1U, 2U, 5U}) {
    api::VcpuView view;
    view.domid = 1;
    view.vcpu = vcpu;
    view.online = vcpu != 2;
    view.cpu_time_ns = vcpu * std::uint64_t{1'000'000'000};
    now_.vcpus.push_back(view);
  }
  const auto lines = top_table(before_, now_, options_);
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[2].text, "VCPUs(sec):   0:          0s  1:          1s");
  EXPECT_EQ(lines[3].text, "          5:          5s");
  EXPECT_EQ(lines[5].text, "VCPUs(sec): ");
}

TEST_F(TopText, Summary) {
  now_.host.hypervisor = "bundled";
  now_.host.hypervisor_version = "4.17.0";
  now_.host.free_memory_kib = 2048;
  now_.host.cpus = 2;
  now_.host.cpu_khz = 2'500'000;
  EXPECT_EQ(top_summary(now_, "12:00:00"),
            (std::vector<std::string>{
                "xl top - 12:00:00   bundled 4.17.0",
                "3 domains: 0 running, 3 blocked, 0 paused, 0 crashed, 0 dying, 0 shutdown",
                "Mem: 8192k total, 6144k used, 2048k free    CPUs: 2 @ 2500MHz"}));
}

}  // namespace
}  // namespace xl::cli
