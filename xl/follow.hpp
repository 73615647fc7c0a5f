// SPDX-License-Identifier: Apache-2.0
// Follower waits for the end of a domain, through its restarts: what `create -F` and `-c` do once
// the domain exists. The event stream is opened before the domain is made, so that no event of it
// can be missed. One thread.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "libxl++/api/client.hpp"
#include "xl/command.hpp"

namespace xl::cli {

// How a domain ended, as an exit status: an error unless it ended well.
Outcome<void> verdict_on(const std::string& name, const api::EndView& end);
// The same for who did not want it to end at all.
Unexpected<Failure> bad_end(const std::string& name, const api::EndView& end);

class Follower {
 public:
  explicit Follower(api::LineStream events) : events_(std::move(events)) {}

  void follow(std::uint16_t domid, std::string name) {
    domid_ = domid;
    name_ = std::move(name);
  }
  std::uint16_t domid() const { return domid_; }
  int fd() const { return events_.fd(); }

  enum class News { none, restarted, ended };
  Outcome<News> next();     // waits until there is news
  Outcome<News> arrived();  // when fd() is readable: reads once, does not wait
  // After `restarted`: what broke the domain, as a sentence; empty if it only rebooted.
  std::string cause_of_restart() const;
  // After `ended`: whether the domain has shut down but was kept.
  bool preserved() const { return end_.action == "preserve"; }
  // After `ended`: an error unless the domain ended well.
  Outcome<void> verdict() const { return verdict_on(name_, end_); }

 private:
  Outcome<void> read_once();
  Outcome<News> look();
  News consider(const api::EventView& event);

  api::LineStream events_;
  std::uint16_t domid_ = 0;
  std::string name_;
  api::EndView end_;
};

}  // namespace xl::cli
