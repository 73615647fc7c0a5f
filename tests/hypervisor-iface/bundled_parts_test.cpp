// SPDX-License-Identifier: Apache-2.0
// The bundled backend's parts that need no hypervisor: RAM, log, state file, processes, QEMU's
// command, wire.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "hypervisor-iface/bundled/process.hpp"
#include "hypervisor-iface/bundled/qemu_command.hpp"
#include "hypervisor-iface/bundled/ram.hpp"
#include "hypervisor-iface/bundled/running.hpp"
#include "hypervisor-iface/bundled/start.hpp"
#include "hypervisor-iface/bundled/state_file.hpp"
#include "hypervisor-iface/bundled/translation.hpp"
#include "hypervisor-iface/bundled/wire.hpp"
#include "tests/hypervisor-iface/bundled_fixture.hpp"
#include "tests/hypervisor-iface/hypervisor_end.hpp"

namespace xl::hv::bundled {
namespace {

Mfn at(std::uint64_t gibibytes) {
  return to_mfn(HostPhys(gibibytes << 30));
}

TEST(Ram, HoleBelowFourGibHasNoMemory) {
  const auto ram = Ram::create(gib(6));
  ASSERT_TRUE(ram);
  const Ram& r = **ram;
  const std::byte* start = r.frames(Mfn(0), Pages(1)).data();
  EXPECT_EQ(r.frames(at(3) - Pages(1), Pages(1)).data(), start + (3ULL << 30) - page_size);
  EXPECT_EQ(r.frames(at(4), Pages(1)).data(), start + (3ULL << 30));
  EXPECT_EQ(r.frames(at(7) - Pages(1), Pages(1)).data(), start + (6ULL << 30) - page_size);
  EXPECT_TRUE(r.frames(at(3), Pages(1)).empty());
  EXPECT_TRUE(r.frames(at(3) - Pages(1), Pages(2)).empty());
  EXPECT_TRUE(r.frames(at(4) - Pages(1), Pages(2)).empty());
  EXPECT_TRUE(r.frames(at(7), Pages(1)).empty());
}

TEST(Ram, WhatIsNoMemoryIsRefused) {
  const auto ram = Ram::create(mib(64));
  ASSERT_TRUE(ram);
  const Ram& r = **ram;
  EXPECT_EQ(r.frames(Mfn(0), to_pages_up(mib(64))).size(), 64U << 20);
  EXPECT_TRUE(r.frames(Mfn(0), to_pages_up(mib(64)) + Pages(1)).empty());
  EXPECT_TRUE(r.frames(Mfn(0), Pages(0)).empty());
  EXPECT_TRUE(r.frames(at(4), Pages(1)).empty());
  EXPECT_TRUE(r.frames(Mfn(~0ULL), Pages(1)).empty());
  EXPECT_TRUE(r.frames(Mfn(1), Pages(~0ULL)).empty());
  EXPECT_TRUE(r.frames(Mfn(1ULL << 52), Pages(1ULL << 52)).empty());
  EXPECT_FALSE(r.release(at(4), Pages(1)));
}

TEST(Ram, ReleasedFramesAreZeroAndCostNothing) {
  const auto ram = Ram::create(mib(64));
  ASSERT_TRUE(ram);
  const std::span<std::byte> frames = (*ram)->frames(Mfn(256), Pages(512));
  std::fill(frames.begin(), frames.end(), std::byte{1});
  struct stat info {};
  ASSERT_EQ(::fstat((*ram)->fd(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 2 << 20);
  ASSERT_TRUE((*ram)->release(Mfn(256), Pages(512)));
  ASSERT_EQ(::fstat((*ram)->fd(), &info), 0);
  EXPECT_EQ(info.st_blocks, 0);
  EXPECT_EQ(frames[100], std::byte{0});
}

class Translation : public testing::Test {
 protected:
  bool accepts(const std::vector<abi::ExtentRecord>& records, std::uint64_t covered) {
    std::vector<MappedSegment> segments;
    return append_segments(*ram_, Gfn(100), Pages(covered), records, segments).has_value();
  }
  std::shared_ptr<Ram> ram_ = Ram::create(mib(64)).value();
};

TEST_F(Translation, BecomesSegmentsInOrder) {
  std::vector<MappedSegment> segments;
  ASSERT_TRUE(
      append_segments(*ram_, Gfn(100), Pages(3), {{100, 5000, 1}, {101, 1000, 2}}, segments));
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].bytes.data(), ram_->frames(Mfn(5000), Pages(1)).data());
  EXPECT_EQ(segments[1].first, Gfn(101));
  EXPECT_EQ(segments[1].bytes.size(), 2 * page_size);
}

TEST_F(Translation, ThatLiesIsRefused) {
  EXPECT_TRUE(accepts({{100, 5000, 3}}, 3));
  EXPECT_FALSE(accepts({}, 1));                // nothing where something is said to be
  EXPECT_FALSE(accepts({{100, 5000, 2}}, 3));  // too short
  EXPECT_FALSE(accepts({{100, 5000, 4}}, 3));  // too long
  EXPECT_FALSE(accepts({{101, 5000, 3}}, 3));  // other frames
  EXPECT_FALSE(accepts({{100, 5000, 1}, {102, 6000, 2}}, 3));  // a gap
  EXPECT_FALSE(accepts({{100, 5000, 0}, {100, 5000, 3}}, 3));  // an empty record
  EXPECT_FALSE(accepts({{100, 16383, 3}}, 3));                 // over the end of RAM
  EXPECT_FALSE(accepts({{100, ~0ULL, 3}}, 3));
  EXPECT_FALSE(accepts({{100, 5000, ~0ULL}}, ~0ULL));
  EXPECT_FALSE(accepts({{100, 0x100, 3}}, 3));  // the host area itself
}

TEST(Log, IsReadFromWhereItStopped) {
  HypervisorEnd end;
  std::memcpy(end.memory() + abi::log_offset, "one\ntwo\n", 8);
  end.area().log_written().store(4);
  const auto first = log_text(end.area(), 0);
  EXPECT_EQ(first.text, "one\n");
  end.area().log_written().store(8);
  EXPECT_EQ(log_text(end.area(), first.next).text, "two\n");
  EXPECT_EQ(last_log_line(end.area()), "two");
  EXPECT_EQ(log_text(end.area(), 8).text, "");
  EXPECT_EQ(log_text(end.area(), ~0ULL).next, 8U);
}

TEST(Log, OldestBytesGoWhenItWraps) {
  HypervisorEnd end;
  for (std::size_t i = 0; i < abi::log_size; ++i) {
    end.memory()[abi::log_offset + i] = static_cast<std::byte>('a' + i % 26);
  }
  end.area().log_written().store(abi::log_size + 10);
  const auto log = log_text(end.area(), 0);
  EXPECT_EQ(log.text.size(), abi::log_size);
  EXPECT_EQ(log.next, abi::log_size + 10);
  EXPECT_EQ(log.text.front(), static_cast<char>('a' + 10));
}

TEST(StateFile, IsReadBack) {
  const TemporaryDir directory;
  const HypervisorState state{1234, 567, 3, mib(64), 2, "/x/hypervisor.elf", "/x/qemu"};
  ASSERT_TRUE(write_state(directory.path(), state));
  const auto back = read_state(directory.path());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->pid, 1234);
  EXPECT_EQ(back->start_time, 567U);
  EXPECT_EQ(back->ram, mib(64));
  EXPECT_EQ(back->image, state.image);
  EXPECT_EQ(back->qemu, state.qemu);
}

TEST(StateFile, GarbageIsNoState) {
  const TemporaryDir directory;
  for (const char* text : {"", "{", "[]", "{}", "{\"version\": 1e99}", "{\"version\": 2}"}) {
    std::ofstream(directory.path() + "/" + state_file_name) << text;
    EXPECT_FALSE(read_state(directory.path())) << text;
  }
  std::ofstream(directory.path() + "/" + state_file_name) << R"({"version":1,"pid":"x"})";
  EXPECT_TRUE(end_stale(directory.path()));
}

TEST(StateFile, ProcessThatHasThePidOfADeadOneIsLeftAlone) {
  const TemporaryDir directory;
  Process::Spawn spawn{{"/bin/sleep", "1000"}, {}, directory.path() + "/log"};
  auto other = Process::spawn(spawn);
  ASSERT_TRUE(other);
  ASSERT_TRUE(write_state(directory.path(),
                          {other->pid(), other->start_time() - 1, 3, mib(64), 1, "x", "y"}));
  EXPECT_TRUE(end_stale(directory.path()));
  EXPECT_FALSE(wait_ended(other->fd(), 0));
  ASSERT_TRUE(
      write_state(directory.path(), {other->pid(), other->start_time(), 3, mib(64), 1, "x", "y"}));
  EXPECT_TRUE(end_stale(directory.path()));
  EXPECT_TRUE(wait_ended(other->fd(), 0));
}

TEST(StateFile, LockIsForOneAtATime) {
  const TemporaryDir directory;
  {
    const auto lock = lock_runtime_dir(directory.path());
    ASSERT_TRUE(lock);
    const auto second = lock_runtime_dir(directory.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::busy);
  }
  EXPECT_TRUE(lock_runtime_dir(directory.path()));
}

TEST(Process, GetsOnlyTheDescriptorsItIsGiven) {
  const TemporaryDir directory;
  const std::string log = directory.path() + "/log";
  const UniqueFd extra(::open("/dev/zero", O_RDONLY));  // on purpose not close-on-exec
  const UniqueFd given(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto process = Process::spawn(
      {{"/bin/sh", "-c", "for f in /proc/$$/fd/*; do echo ${f##*/} $(readlink $f); done"},
       {{given.get(), 3}, {extra.get(), 4}},
       log});
  ASSERT_TRUE(process);
  ASSERT_TRUE(wait_ended(process->fd(), 5000));
  EXPECT_EQ(process->end(), "exit status 0");
  std::ifstream file(log);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(text.find("3 /dev/null"), std::string::npos) << text;
  EXPECT_NE(text.find("4 /dev/zero"), std::string::npos) << text;
  EXPECT_EQ(text.find("/dev/zero"), text.rfind("/dev/zero")) << "inherited twice: " << text;
}

TEST(Process, MissingProgramIsAnError) {
  const TemporaryDir directory;
  EXPECT_FALSE(Process::spawn({{"/no/such/program"}, {}, directory.path() + "/log"}));
}

TEST(QemuCommand, IsConfined) {
  const auto words = qemu_command({"qemu", "hypervisor.elf", mib(512), 2});
  const auto has = [&](const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  EXPECT_TRUE(has("-nodefaults"));
  EXPECT_TRUE(has("-no-user-config"));
  EXPECT_TRUE(has("on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"));
  EXPECT_TRUE(has("536870912B"));
  for (const std::string& word : words) {
    EXPECT_EQ(word.find("-net"), std::string::npos);
  }
}

TEST(Wire, ContextGoesThereAndBack) {
  VcpuContext context;
  std::uint64_t next = 1;
  for (std::uint64_t* word : {&context.rax, &context.r15, &context.rip, &context.cr0, &context.dr7,
                              &context.efer, &context.idtr.base, &context.tr.base}) {
    *word = next++;
  }
  context.ldtr.attributes = 0x82;
  const VcpuContext back = from_wire(to_wire(context));
  EXPECT_EQ(std::memcmp(&back, &context, sizeof(back)), 0);
}

TEST(Wire, ShutdownReasonThatHasNoNameIsACrash) {
  abi::DomainRecord record{};
  record.flags = abi::domain_flag_shutdown;
  record.shutdown_reason = 200;
  EXPECT_EQ(from_wire(record).shutdown, ShutdownReason::crash);
  record.flags = 0;
  EXPECT_FALSE(from_wire(record).shutdown);
}

TEST(Wire, UserModeIsAFlag) {
  abi::DomainRecord record{};
  EXPECT_FALSE(from_wire(record).user_mode);
  record.flags = abi::domain_flag_user_mode;
  EXPECT_TRUE(from_wire(record).user_mode);
}

TEST(Wire, StatusOfAnyValueIsAnError) {
  for (const std::int32_t status : {-1, -3, -12, -22, -4096, 1, 77, INT32_MIN, INT32_MAX}) {
    EXPECT_FALSE(error_of(abi::Op::populate, DomId(3), status).message.empty());
  }
  EXPECT_EQ(error_of(abi::Op::populate, DomId(3), -3).code, ErrorCode::not_found);
  EXPECT_EQ(error_of(abi::Op::populate, DomId(3), -12).code, ErrorCode::no_memory);
}

TEST(Wire, NameThatFillsItsRecordIsWhole) {
  abi::CounterRecord record{};
  std::memset(record.name, 'x', sizeof(record.name));
  EXPECT_EQ(from_wire(record).name, std::string(sizeof(record.name), 'x'));
}

TEST(Wire, RecordThatIsCutIsDropped) {
  const std::vector<std::byte> bytes(sizeof(abi::ExtentRecord) * 2 - 1);
  EXPECT_EQ(records<abi::ExtentRecord>(bytes).size(), 1U);
}

}  // namespace
}  // namespace xl::hv::bundled
