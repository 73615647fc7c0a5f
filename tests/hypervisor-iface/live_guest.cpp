// SPDX-License-Identifier: Apache-2.0
#include "tests/hypervisor-iface/live_guest.hpp"

#include <poll.h>

// The ABI's headers need the types from above.
#include <xen/hvm/params.h>

#include <algorithm>
#include <array>
#include <span>

namespace xl::hv {
namespace {

using Clock = std::chrono::steady_clock;

build::BuildRequest request_of(const GuestRun& run) {
  build::BuildRequest request;
  request.kernel = std::string(XL_TEST_GUESTS) + "/" + run.name + ".elf";
  request.command_line = run.command_line;
  request.memory = run.memory;
  request.max_memory = std::max(run.memory, run.max_memory);
  request.vcpus = run.vcpus;
  request.max_vcpus = std::max(run.vcpus, run.max_vcpus);
  return request;
}

Result<DomId> create(Hypervisor& hypervisor, const build::Prepared& prepared) {
  DomainOptions options;
  options.max_vcpus = prepared.request.max_vcpus;
  options.max_memory = prepared.pages_needed() + Pages(256);
  return hypervisor.create_domain(options);
}

}  // namespace

Result<std::unique_ptr<LiveGuest>> LiveGuest::start(Hypervisor& hypervisor, const GuestRun& run) {
  build::ImageCache cache(mib(16));
  XL_TRY_ASSIGN(const build::Prepared prepared, build::prepare(request_of(run), cache));
  XL_TRY_ASSIGN(const DomId id, create(hypervisor, prepared));
  std::unique_ptr<LiveGuest> guest(new LiveGuest(hypervisor, id, run.patience));
  XL_TRY(guest->build(prepared));
  XL_TRY(hypervisor.unpause(id));
  return guest;
}

std::unique_ptr<LiveGuest> start_guest(Hypervisor& hypervisor, const GuestRun& run) {
  auto started = LiveGuest::start(hypervisor, run);
  EXPECT_TRUE(ok(started)) << run.name;
  return started ? std::move(started).value() : nullptr;
}

LiveGuest::~LiveGuest() {
  EXPECT_TRUE(ok(hypervisor_.destroy_domain(id_)));
}

Result<void> LiveGuest::build(const build::Prepared& prepared) {
  XL_TRY_ASSIGN(built_, build::execute(hypervisor_, id_, prepared));
  XL_TRY_ASSIGN(console_page_, hypervisor_.map_frames(id_, {built_.console_frame, Pages(1)}));
  XL_TRY_ASSIGN(const EventBinding binding, hypervisor_.event_bind(id_, built_.console_port));
  console_port_ = binding.local;
  console_.emplace(console_page_.segments().front().bytes);
  return {};
}

void LiveGuest::take_output() {
  std::array<std::byte, console::Ring::output_size> buffer{};
  for (auto read = console_->peek_output(buffer); read.count != 0;
       read = console_->peek_output(buffer)) {
    for (const std::byte letter : std::span(buffer).first(read.count)) {
      if (letter != std::byte{'\r'}) {
        output_ += static_cast<char>(letter);
      }
    }
    console_->take_output(read.count);
  }
}

// The guests that print much look by themselves whether there is room, so they get no event that
// they do not expect. Their end is looked for: nobody tells of a domain that xenstored does not
// know.
Result<void> LiveGuest::try_to_look() {
  pollfd entry{hypervisor_.event_fd(), POLLIN, 0};
  ::poll(&entry, 1, 20);
  XL_TRY(hypervisor_.take_events());
  XL_TRY_ASSIGN(const DomainInfo info, hypervisor_.domain_info(id_));
  reason_ = info.shutdown;
  take_output();
  return {};
}

void LiveGuest::look() {
  EXPECT_TRUE(ok(try_to_look()));
}

bool LiveGuest::until(const std::function<bool()>& done) {
  for (const auto deadline = Clock::now() + patience_; Clock::now() < deadline && !reason_;) {
    if (const auto looked = try_to_look(); !looked) {
      ADD_FAILURE() << describe(looked.error());
      return false;
    }
    if (done()) {
      return true;
    }
  }
  return false;
}

bool LiveGuest::until_it_says(std::string_view text) {
  return until([&] { return output_.find(text) != std::string::npos; });
}

bool LiveGuest::until_it_ends() {
  return until([&] { return reason_.has_value(); });
}

void LiveGuest::type(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(console_->write_input(bytes), bytes.size());
  EXPECT_TRUE(ok(hypervisor_.event_notify(console_port_)));
}

Result<void> LiveGuest::try_to_reset() {
  XL_TRY(hypervisor_.soft_reset(id_));
  XL_TRY_ASSIGN(built_.xenstore_port, hypervisor_.event_alloc_unbound(id_, DomId(0)));
  XL_TRY_ASSIGN(built_.console_port, hypervisor_.event_alloc_unbound(id_, DomId(0)));
  const std::array<HvmParam, 2> ports{{{HVM_PARAM_STORE_EVTCHN, built_.xenstore_port.value()},
                                       {HVM_PARAM_CONSOLE_EVTCHN, built_.console_port.value()}}};
  XL_TRY(hypervisor_.set_hvm_params(id_, ports));
  XL_TRY_ASSIGN(const EventBinding binding, hypervisor_.event_bind(id_, built_.console_port));
  console_port_ = binding.local;
  reason_.reset();
  return hypervisor_.resume_domain(id_);
}

void LiveGuest::reset_softly() {
  EXPECT_TRUE(ok(try_to_reset()));
}

}  // namespace xl::hv
