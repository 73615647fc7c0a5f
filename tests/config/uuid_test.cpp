// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/uuid.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace xl::config {
namespace {

TEST(Uuid, RoundTrip) {
  const auto uuid = Uuid::parse("c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->octets()[0], 0xc7);
  EXPECT_EQ(uuid->octets()[15], 0x5f);
  EXPECT_EQ(to_string(*uuid), "c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f");
}

TEST(Uuid, TakesUpperCaseAndNoHyphens) {
  const auto plain = Uuid::parse("C7F5E7A03F0C4A4E9A3D0A1B2C3D4E5F");
  ASSERT_TRUE(plain);
  EXPECT_EQ(*plain, *Uuid::parse("c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f"));
}

TEST(Uuid, RefusesOtherShapes) {
  for (const char* text :
       {"", "c7f5e7a0", "c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5g",
        "c7f5e7a03-f0c-4a4e-9a3d-0a1b2c3d4e5f", "c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5",
        "c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5ff", "c7f5e7a03f0c4a4e9a3d0a1b2c3d4e-f",
        "{c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5}"}) {
    const auto uuid = Uuid::parse(text);
    ASSERT_FALSE(uuid) << text;
    EXPECT_EQ(uuid.error().code, ErrorCode::invalid_argument);
  }
}

TEST(Uuid, RandomOnesCarryVersionAndVariant) {
  Uuid::Octets octets;
  octets.fill(0xff);
  EXPECT_EQ(to_string(Uuid::from_random(octets)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  octets.fill(0);
  EXPECT_EQ(to_string(Uuid::from_random(octets)), "00000000-0000-4000-8000-000000000000");
}

TEST(Uuid, NilIsTheDefault) {
  EXPECT_TRUE(Uuid().is_nil());
  EXPECT_EQ(to_string(Uuid()), "00000000-0000-0000-0000-000000000000");
}

}  // namespace
}  // namespace xl::config
