#include "client/cpp/uuid.h"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace hongyan::client {

// From the system's generator of random numbers.
std::string new_uuid() { return to_string(boost::uuids::random_generator_pure()()); }

}  // namespace hongyan::client
