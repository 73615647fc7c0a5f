// SPDX-License-Identifier: Apache-2.0
// Prometheus: metrics in the text exposition format (version 0.0.4): one family after another, each
// with HELP and TYPE before its samples. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace xl::api {

class Prometheus {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  struct Label {
    std::string_view name;
    std::string_view value;  // any bytes
  };
  using Labels = std::initializer_list<Label>;

  // A family begins; its samples follow. Counters' names end in _total.
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void summary(std::string_view name, std::string_view help) { family(name, help, "summary"); }

  void sample(Labels labels, std::uint64_t value);
  void seconds(Labels labels, std::uint64_t nanoseconds);  // as a decimal number of seconds
  // Of a summary: "_sum" or "_count".
  void part(std::string_view suffix, Labels labels, std::uint64_t value);
  void part_seconds(std::string_view suffix, Labels labels, std::uint64_t nanoseconds);

  std::string take() { return std::move(text_); }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  void begin(std::string_view suffix, Labels labels);

  std::string text_;
  std::string family_;
};

}  // namespace xl::api
