// SPDX-License-Identifier: Apache-2.0
// Findings: collects what is wrong during one parse, and turns it into sorted Diagnostics at the
// end. Borrows the sources. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libxl++/config/diagnostic.hpp"
#include "libxl++/config/source_text.hpp"

namespace xl::config {

class Findings {
 public:
  explicit Findings(std::span<const SourceText> sources) : sources_(sources) {}

  void error(Span span, std::string message, std::string hint = {});
  void warning(Span span, std::string message, std::string hint = {});
  // The same, about something else than those around it.
  void error(Rule rule, Span span, std::string message, std::string hint = {});
  void warning(Rule rule, Span span, std::string message, std::string hint = {});
  // What the findings from now on are about.
  void begin(Rule rule) { rule_ = rule; }
  // About a source as a whole.
  void error_in(std::uint32_t source, std::string message, std::string hint = {});

  bool has_errors() const { return errors_ > 0; }
  // No use in looking for more: there are more errors than take() gives. Warnings do not count, so
  // that they cannot hide an error.
  bool full() const;
  bool enough_warnings() const;  // the same for warnings
  // Sorted by position (what concerns a whole source comes behind its other findings), each once,
  // at most max_diagnostics, errors rather than warnings, and one that says that there are others.
  std::vector<Diagnostic> take() &&;

 private:
  struct Finding {
    Severity severity;
    bool whole_source;
    Span span;
    std::string message;
    std::string hint;
    Rule rule = Rule::value;
  };
  void add(Severity severity, Rule rule, Span span, std::string message, std::string hint);
  void sort();
  bool drop_warnings();  // whether there were any to drop
  Diagnostic describe(Finding&& finding) const;

  std::span<const SourceText> sources_;
  std::vector<Finding> findings_;
  std::size_t errors_ = 0;
  Rule rule_ = Rule::value;
};

}  // namespace xl::config
