// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/ring_client.hpp"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>

#include "hypervisor-iface/bundled/monitor.hpp"
#include "tests/hypervisor-iface/hypervisor_end.hpp"

namespace xl::hv::bundled {
namespace {

using namespace std::chrono_literals;

// The client with its reader, and the test as the hypervisor.
class RingTest : public testing::Test {
 protected:
  void start(RingClient::Options options = {}) {
    doorbell_ = std::make_unique<Doorbell>(end_.take_host_socket());
    ring_ = std::make_unique<RingClient>(end_.area(), *doorbell_, options,
                                         [this](const Request& undo) { orphans_.push_back(undo); });
    Monitor::Parts parts{end_.area()};
    parts.doorbell = doorbell_.get();
    parts.process_fd = -1;  // poll passes it over
    parts.on_bell = [this] { ring_->on_bell(); };
    parts.on_freed_frames = [this] { freed_.release(); };
    parts.why_it_ended = [] { return std::string("it hung up"); };
    parts.on_gone = [this](const std::string& why) { ring_->set_gone(why); };
    monitor_ = std::move(Monitor::start(std::move(parts))).value();
  }
  void TearDown() override {
    end_.stop();
    monitor_.reset();
  }
  static Request echo(std::uint64_t word) {
    Request request;
    request.op = abi::Op::get_hvm_param;
    request.args[0] = word;
    return request;
  }
  static bool answer_echo(abi::Slot& slot, std::span<std::byte>) {
    slot.results[0] = slot.args[0] + 1;
    slot.bulk_bytes = 0;
    return true;
  }
  bool readable(int timeout_ms) const {
    pollfd entry{monitor_->event_fd(), POLLIN, 0};
    return ::poll(&entry, 1, timeout_ms) == 1;
  }

  HypervisorEnd end_;
  std::unique_ptr<Doorbell> doorbell_;
  std::unique_ptr<RingClient> ring_;
  std::unique_ptr<Monitor> monitor_;
  std::vector<Request> orphans_;
  std::counting_semaphore<> freed_{0};
};

TEST_F(RingTest, EachCallerGetsItsOwnAnswer) {
  start({.spin = 0us});
  end_.serve(answer_echo);
  std::vector<std::future<int>> threads;
  for (std::uint64_t t = 0; t < 8; ++t) {
    threads.push_back(std::async(std::launch::async, [this, t] {
      int wrong = 0;
      for (std::uint64_t i = 0; i < 500; ++i) {
        const std::uint64_t word = t << 32 | i;
        const auto response = ring_->call(echo(word));
        wrong += response && response->results[0] == word + 1 ? 0 : 1;
      }
      return wrong;
    }));
  }
  for (auto& thread : threads) {
    EXPECT_EQ(thread.get(), 0);
  }
}

TEST_F(RingTest, SpinningCallerAsksForNoRing) {
  start({.spin = 1s});
  end_.serve([this](abi::Slot& slot, std::span<std::byte> bulk) {
    EXPECT_FALSE(end_.rings_for_responses());
    return answer_echo(slot, bulk);
  });
  EXPECT_TRUE(ring_->call(echo(1)));
}

TEST_F(RingTest, BulkGoesBothWays) {
  start();
  end_.serve([](abi::Slot& slot, std::span<std::byte> bulk) {
    std::reverse(bulk.begin(), bulk.begin() + slot.bulk_bytes);
    return true;
  });
  const std::vector<std::byte> bytes = {std::byte{1}, std::byte{2}, std::byte{3}};
  Request request;
  request.bulk = bytes;
  const auto response = ring_->call(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->bulk, (std::vector{std::byte{3}, std::byte{2}, std::byte{1}}));
}

TEST_F(RingTest, LengthThatLiesIsCut) {
  start();
  end_.serve([](abi::Slot& slot, std::span<std::byte>) {
    slot.bulk_bytes = 0xffffffff;
    return true;
  });
  const auto response = ring_->call({});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->bulk.size(), abi::bulk_size);
}

TEST_F(RingTest, RequestThatIsTooLongIsRefused) {
  start();
  const std::vector<std::byte> bytes(abi::bulk_size + 1);
  Request request;
  request.bulk = bytes;
  EXPECT_FALSE(ring_->call(request));
  EXPECT_EQ(end_.area().producer().load(), 0U);
}

TEST_F(RingTest, SilenceIsAnErrorOnceSlowThenAtOnce) {
  start({.spin = 0us, .timeout = 100ms});
  const auto begin = RingClient::Clock::now();
  auto response = ring_->call({});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::hypervisor_gone);
  EXPECT_GE(RingClient::Clock::now() - begin, 100ms);
  EXPECT_FALSE(ring_->call({}));
  EXPECT_EQ(end_.area().producer().load(), 1U) << "the second one was not even sent";
  EXPECT_FALSE(ring_->gone());

  end_.finish(0, 0, 0);  // late
  end_.serve([](abi::Slot&, std::span<std::byte>) { return true; });
  EXPECT_TRUE(ring_->call({}));
}

TEST_F(RingTest, SlowIsNotHanging) {
  start({.spin = 0us, .timeout = 50ms});
  auto waiting = std::async(std::launch::async, [this] { return ring_->call({}); });
  for (int step = 0; step < 40; ++step) {  // 200 ms of work, step by step
    EXPECT_EQ(waiting.wait_for(5ms), std::future_status::timeout);
    end_.step();
  }
  end_.finish(0, 0, 0);
  EXPECT_TRUE(waiting.get());
}

TEST_F(RingTest, LateCreateIsUndone) {
  start({.spin = 0us, .timeout = 10ms});
  Request create;
  create.op = abi::Op::create_domain;
  EXPECT_FALSE(ring_->call(create));
  end_.finish(0, 0, 7);
  ring_->on_bell();
  ASSERT_EQ(orphans_.size(), 1U);
  EXPECT_EQ(orphans_[0].op, abi::Op::destroy_domain);
  EXPECT_EQ(orphans_[0].domain, DomId(7));
}

TEST_F(RingTest, LateFailedCreateNeedsNoUndo) {
  start({.spin = 0us, .timeout = 10ms});
  Request create;
  create.op = abi::Op::create_domain;
  EXPECT_FALSE(ring_->call(create));
  end_.finish(0, -12, 7);
  ring_->on_bell();
  EXPECT_TRUE(orphans_.empty());
}

TEST_F(RingTest, HangUpWakesAllWaiters) {
  start({.spin = 0us, .timeout = 60s});
  std::vector<std::future<Result<Response>>> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(std::async(std::launch::async, [this] { return ring_->call({}); }));
  }
  while (end_.area().producer().load() != 4) {
    std::this_thread::yield();
  }
  end_.hang_up();
  for (auto& call : waiting) {
    const auto response = call.get();
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::hypervisor_gone);
    EXPECT_EQ(response.error().message, "it hung up");
  }
  EXPECT_TRUE(readable(1000));
  EXPECT_FALSE(ring_->call({}));
}

TEST_F(RingTest, FullRingWaitsForASlot) {
  start({.spin = 0us, .timeout = 60s});
  std::vector<std::future<Result<Response>>> waiting;
  for (unsigned i = 0; i < abi::slot_count + 4; ++i) {
    waiting.push_back(std::async(std::launch::async, [this] { return ring_->call({}); }));
  }
  while (end_.area().producer().load() != abi::slot_count) {
    std::this_thread::yield();
  }
  end_.serve([](abi::Slot&, std::span<std::byte>) { return true; });
  for (auto& call : waiting) {
    EXPECT_TRUE(call.get());
  }
}

TEST_F(RingTest, WhatADeadProcessHadPostedComesFirst) {
  end_.begin_at(130, 127);  // 127 to 129 are on their way; one of them was a create
  abi::Slot create{};
  create.op = static_cast<std::uint32_t>(abi::Op::create_domain);
  end_.area().fill_slot(128 % abi::slot_count, create);
  start({.spin = 0us});
  auto caught_up = std::async(std::launch::async, [this] { return ring_->catch_up(); });
  end_.finish(127, 0, 0);
  end_.finish(128, 0, 5);
  EXPECT_EQ(caught_up.wait_for(50ms), std::future_status::timeout);
  end_.finish(129, 0, 0);
  ASSERT_TRUE(caught_up.get());
  EXPECT_TRUE(orphans_.empty()) << "its successor looks for itself";
  end_.serve(answer_echo);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto response = ring_->call(echo(i));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->results[0], i + 1);
  }
}

TEST_F(RingTest, NothingOnItsWayNeedsNoWait) {
  end_.begin_at(64, 64);
  start();
  EXPECT_TRUE(ring_->catch_up());
  end_.serve(answer_echo);
  EXPECT_TRUE(ring_->call(echo(1)));
}

TEST_F(RingTest, NumbersThatMakeNoSenseAreAnErrorInTime) {
  for (const std::uint64_t producer : {std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    end_.area().producer().store(producer);
    const Doorbell nobody{UniqueFd()};
    RingClient ring(end_.area(), nobody, {.timeout = 50ms}, [](const Request&) {});
    const auto caught_up = ring.catch_up();
    ASSERT_FALSE(caught_up);
    EXPECT_EQ(caught_up.error().code, ErrorCode::hypervisor_gone);
  }
}

TEST_F(RingTest, PendingPortMakesTheEventFdReadable) {
  start();
  EXPECT_FALSE(readable(0));
  end_.area().pending(3).store(1ULL << 5);
  end_.area().selector(0).store(1ULL << 3);
  end_.doorbell().ring();
  EXPECT_TRUE(readable(2000));
  EXPECT_NE(end_.area().host_sleeping().load() & abi::sleeping_for_events, 0U);
}

TEST_F(RingTest, FreedFramesAreAnnouncedFromTheThresholdOn) {
  start();
  end_.area().releasable_pages().store(abi::release_threshold - 1);
  end_.area().state_changed().store(1);  // to see that the bell was served
  end_.doorbell().ring();
  ASSERT_TRUE(readable(2000));
  EXPECT_FALSE(freed_.try_acquire());  // looked at before event_fd is written
  end_.area().releasable_pages().store(abi::release_threshold);
  end_.doorbell().ring();
  EXPECT_TRUE(freed_.try_acquire_for(2s));
}

TEST_F(RingTest, PanicIsTheEnd) {
  start({.spin = 0us, .timeout = 60s});
  auto waiting = std::async(std::launch::async, [this] { return ring_->call({}); });
  end_.area().state().store(static_cast<std::uint32_t>(abi::State::panicked));
  end_.doorbell().ring();
  EXPECT_FALSE(waiting.get());
  EXPECT_TRUE(ring_->gone());
}

}  // namespace
}  // namespace xl::hv::bundled
