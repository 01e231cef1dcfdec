//! The table itself: its keys and its three sparse indexes, as the template of the stack has them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};

use crate::error::{CloudError, sort};

/// Attributes that the first index carries besides the keys: enough for percentiles and for the sweep.
const G1_CARRIES: [&str; 9] = ["n_vis", "amt_sum", "amt_n", "st", "att", "claimed", "step", "step_n", "enr"];

fn setup<E: std::fmt::Display>(error: E) -> CloudError {
    CloudError::Setup(format!("the table's definition: {error}"))
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, CloudError> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(setup)
}

fn index(name: &str, projection: Projection) -> Result<GlobalSecondaryIndex, CloudError> {
    GlobalSecondaryIndex::builder()
        .index_name(format!("{name}-index"))
        .key_schema(key(&format!("{name}pk"), KeyType::Hash)?)
        .key_schema(key(&format!("{name}sk"), KeyType::Range)?)
        .projection(projection)
        .build()
        .map_err(setup)
}

/// Creates the table if it is not there.
///
/// # Errors
/// [`CloudError`].
pub async fn create_table(client: &Client, name: &str) -> Result<(), CloudError> {
    let mut call = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash)?)
        .key_schema(key("sk", KeyType::Range)?);
    for attribute in ["pk", "sk", "g1pk", "g1sk", "g2pk", "g2sk", "g3pk", "g3sk"] {
        let definition =
            AttributeDefinition::builder().attribute_name(attribute).attribute_type(ScalarAttributeType::S);
        call = call.attribute_definitions(definition.build().map_err(setup)?);
    }
    let carries = G1_CARRIES.into_iter().map(str::to_owned).collect();
    let g1 =
        Projection::builder().projection_type(ProjectionType::Include).set_non_key_attributes(Some(carries)).build();
    let g2 = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let call = call
        .global_secondary_indexes(index("g1", g1)?)
        .global_secondary_indexes(index("g2", g2.clone())?)
        .global_secondary_indexes(index("g3", g2)?);
    match call.send().await {
        Ok(_) => Ok(()),
        Err(e) if e.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => Ok(()),
        Err(e) => Err(sort("CreateTable", &e)),
    }
}
