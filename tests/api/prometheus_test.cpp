// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/prometheus.hpp"

#include <gtest/gtest.h>

namespace xl::api {
namespace {

TEST(Prometheus, FamiliesAndSamples) {
  Prometheus out;
  out.gauge("up", "It is");
  out.sample({}, 1);
  out.counter("time_seconds_total", "Passed");
  out.seconds({{"kind", "x"}, {"name", "y"}}, 1'000'000'001);
  out.summary("asked", "How often");
  out.part_seconds("_sum", {{"path", "/"}}, 5);
  out.part("_count", {{"path", "/"}}, 18'446'744'073'709'551'615U);
  EXPECT_EQ(out.take(),
            "# HELP up It is\n# TYPE up gauge\nup 1\n"
            "# HELP time_seconds_total Passed\n# TYPE time_seconds_total counter\n"
            "time_seconds_total{kind=\"x\",name=\"y\"} 1.000000001\n"
            "# HELP asked How often\n# TYPE asked summary\n"
            "asked_sum{path=\"/\"} 0.000000005\nasked_count{path=\"/\"} 18446744073709551615\n");
}

TEST(Prometheus, LabelsAndHelpAreEscaped) {
  Prometheus out;
  out.gauge("a", "back\\slash \"quoted\"\nline");
  out.sample({{"b", "back\\slash \"quoted\"\nline"}}, 2);
  EXPECT_EQ(out.take(),
            "# HELP a back\\\\slash \"quoted\"\\nline\n# TYPE a gauge\n"
            "a{b=\"back\\\\slash \\\"quoted\\\"\\nline\"} 2\n");
}

}  // namespace
}  // namespace xl::api
