// SPDX-License-Identifier: Apache-2.0
// RingConsole: a console whose ring is served here, with a history and a log file. A daemon that is
// killed at any moment loses none of the output and doubles none: it leaves the ring only after the
// history's commit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/console/console.hpp"
#include "libxl++/console/history.hpp"
#include "libxl++/console/log_file.hpp"
#include "libxl++/console/ring.hpp"

namespace xl::console {

class RingConsole final : public Console {
 public:
  struct Files {
    std::string history;  // empty: none is kept
    std::string log;      // empty: none is kept
    std::uint64_t log_limit = 0;
  };
  enum class Origin {
    fresh,    // a new domain's
    adopted,  // an earlier daemon served it: goes on from what its history says
  };

  // `page` is the guest's console page; an empty mapping makes a console that has ended.
  RingConsole(hv::GuestMapping page, Files files, Origin origin = Origin::fresh);

  Progress pump() override;
  Listeners::Handle attach(Output output) override;
  Result<void> write(std::span<const std::byte> input) override;
  void end() override;
  std::string text() const override;
  std::string log_path() const override { return log_.path(); }

 private:
  // One turn's output, and who has to have the replay first.
  struct Turn {
    std::array<std::byte, Ring::output_size> buffer;
    std::size_t count = 0;
    std::uint32_t taken = 0;  // the ring's position behind it
    std::vector<Entry> newcomers;
    std::string replay;
    bool ended = false;
    bool notify = false;

    std::span<const std::byte> output() const { return std::span(buffer).first(count); }
  };

  void begin(Turn& turn);
  void keep(const Turn& turn);
  void finish(Turn& turn);
  void log_once(const Result<void>& kept);

  mutable std::mutex mutex_;
  hv::GuestMapping page_;
  std::optional<Ring> ring_;  // none: ended
  History history_;
  std::string input_;
  std::string final_text_;        // once ended: the history may go with its domain
  std::vector<Entry> newcomers_;  // have not had the replay yet

  // The event thread's own.
  Listeners listeners_;
  LogFile log_;
  bool keeping_failed_ = false;
  bool notify_once_ = false;  // the daemon before may not have come to it
  bool end_told_ = false;
};

}  // namespace xl::console
