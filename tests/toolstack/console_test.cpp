// SPDX-License-Identifier: Apache-2.0
// Consoles through the whole toolstack, with the test as the guest.
#include <array>
#include <atomic>
#include <span>
#include <string>
#include <thread>

#include "tests/toolstack/toolstack_fixture.hpp"

#include <xen/hvm/params.h>  // after the integer types that it presumes

namespace xl::toolstack {
namespace {

using fixture::Mailbox;
using fixture::ToolstackTest;

// Collects output; the text so far is what is waited for.
class Listener {
 public:
  Toolstack::ConsoleOutput sink() {
    return [this](std::span<const std::byte> bytes) {
      text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      box_.put(bytes.empty() ? text_ + "<end>" : text_);
    };
  }
  bool hears(const std::string& text) {
    return box_.wait_for([&](const std::string& heard) { return heard == text; }).has_value();
  }

 private:
  std::string text_;
  Mailbox<std::string> box_;
};

class ConsoleOf : public ToolstackTest {};

TEST_F(ConsoleOf, ADomainIsHeardReplayedAndLogged) {
  const DomId id = create();
  Listener first;
  Listener second;
  auto attached = toolstack().attach_console(id, first.sink());
  guest_prints(id, "hello\n");
  ASSERT_TRUE(first.hears("hello\n"));
  auto late = toolstack().attach_console(id, second.sink());
  ASSERT_TRUE(second.hears("hello\n"));
  guest_prints(id, "world\n");
  EXPECT_TRUE(first.hears("hello\nworld\n"));
  EXPECT_TRUE(second.hears("hello\nworld\n"));
  EXPECT_EQ(*toolstack().console_log(id), "hello\nworld\n");
  EXPECT_EQ(log_files(), std::vector<std::string>{"guest-guest.log"});
}

TEST_F(ConsoleOf, ADetachedListenerHearsNothingMore) {
  const DomId id = create();
  Listener stays;
  bool heard_after = false;
  auto staying = toolstack().attach_console(id, stays.sink());
  auto leaving =
      toolstack().attach_console(id, [&](std::span<const std::byte>) { heard_after = true; });
  ASSERT_TRUE(leaving);
  std::move(leaving).value().reset();
  guest_prints(id, "x");
  ASSERT_TRUE(stays.hears("x"));
  EXPECT_FALSE(heard_after);
}

TEST_F(ConsoleOf, ADestroyedDomainEnds) {
  const DomId id = create();
  Listener listener;
  auto attached = toolstack().attach_console(id, listener.sink());
  guest_prints(id, "x");
  ASSERT_TRUE(listener.hears("x"));
  ASSERT_TRUE(toolstack().destroy(id));
  EXPECT_TRUE(listener.hears("x<end>"));
}

TEST_F(ConsoleOf, InputReachesTheGuestAndWaitsWhenItDoesNotRead) {
  const DomId id = create();
  const std::string line = "ls\n";
  Mailbox<hv::fake::Call> calls;
  fake().set_hook([&](const hv::fake::CallRecord& record) { calls.put(record.call); });
  ASSERT_TRUE(toolstack().write_console(id, std::as_bytes(std::span(line))));
  // More than the ring holds: the rest waits here, up to a limit.
  const std::string block(4096, 'x');
  Result<void> written;
  unsigned blocks = 0;
  while (blocks < 64 &&
         (written = toolstack().write_console(id, std::as_bytes(std::span(block))))) {
    ++blocks;
  }
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::busy);
  EXPECT_GE(blocks, 3U);
  ASSERT_TRUE(calls.wait_for(
      [](const hv::fake::Call& call) { return call == hv::fake::Call::event_notify; }));
  const auto page = to_phys(Gfn(*fake().get_hvm_param(id, HVM_PARAM_CONSOLE_PFN)));
  std::array<char, 3> start{};
  ASSERT_TRUE(fake().guest_read(id, page, std::as_writable_bytes(std::span(start))));
  EXPECT_EQ(std::string(start.begin(), start.end()), line);
  fake().set_hook({});
}

TEST_F(ConsoleOf, AFloodingGuestLeavesOthersTheirTurn) {
  const DomId noisy = create("noisy");
  const DomId quiet = create("quiet");
  Listener listener;
  auto attached = toolstack().attach_console(quiet, listener.sink());
  // Indexes that are always ahead: as if the guest printed without end.
  const auto page = to_phys(Gfn(*fake().get_hvm_param(noisy, HVM_PARAM_CONSOLE_PFN)));
  std::atomic<bool> flooding{true};
  std::thread flood([&] {
    std::uint32_t produced = 0;
    while (flooding) {
      produced += 2048;
      (void)fake().guest_write(noisy, page + Bytes(3072 + 12),
                               std::as_bytes(std::span(&produced, 1)));
      (void)fake().guest_notify(noisy, guest_port(noisy, HVM_PARAM_CONSOLE_EVTCHN));
    }
  });
  guest_prints(quiet, "still here");
  EXPECT_TRUE(listener.hears("still here"));
  flooding = false;
  flood.join();
}

}  // namespace
}  // namespace xl::toolstack
