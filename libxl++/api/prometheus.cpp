// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/prometheus.hpp"

#include <cstdio>

namespace xl::api {
namespace {

void append_escaped(std::string& out, std::string_view text, bool in_quotes) {
  for (const char letter : text) {
    switch (letter) {
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '"': out += in_quotes ? "\\\"" : "\""; break;
      default: out += letter;
    }
  }
}

}  // namespace

void Prometheus::family(std::string_view name, std::string_view help, std::string_view type) {
  family_ = name;
  text_.append("# HELP ").append(name).append(" ");
  append_escaped(text_, help, false);
  text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void Prometheus::begin(std::string_view suffix, Labels labels) {
  text_.append(family_).append(suffix);
  char separator = '{';
  for (const Label& label : labels) {
    text_ += separator;
    text_.append(label.name).append("=\"");
    append_escaped(text_, label.value, true);
    text_ += '"';
    separator = ',';
  }
  text_ += separator == ',' ? "} " : " ";
}

void Prometheus::part(std::string_view suffix, Labels labels, std::uint64_t value) {
  begin(suffix, labels);
  text_.append(std::to_string(value)).append("\n");
}

void Prometheus::part_seconds(std::string_view suffix, Labels labels, std::uint64_t nanoseconds) {
  begin(suffix, labels);
  char number[40];
  std::snprintf(number, sizeof number, "%llu.%09llu\n",
                static_cast<unsigned long long>(nanoseconds / 1'000'000'000),
                static_cast<unsigned long long>(nanoseconds % 1'000'000'000));
  text_ += number;
}

void Prometheus::sample(Labels labels, std::uint64_t value) {
  part({}, labels, value);
}

void Prometheus::seconds(Labels labels, std::uint64_t nanoseconds) {
  part_seconds({}, labels, nanoseconds);
}

}  // namespace xl::api
