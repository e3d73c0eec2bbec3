//! `/api/tracking-pixels`: pixels that fire on the pages of links with `pixels: true`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waypost_link::{Pixel, PixelId};
use waypost_service::{NewPixel, PLATFORMS, Service};

use super::{fail::no_changes, wire::Done};
use crate::kit::{Answer, Call, reply, time};

/// What may be said of a pixel.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct PixelBody {
    /// A key of `platforms`. Needed to make one.
    pub(super) platform: Option<String>,
    /// The platform's own id, sanitized. Needed to make one.
    pub(super) pixel_id: Option<String>,
    /// At most 80 characters.
    pub(super) label: Option<String>,
    /// Whether it fires.
    pub(super) active: Option<bool>,
}

/// A pixel.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownPixel {
    pub(super) id: u64,
    pub(super) platform: String,
    pub(super) pixel_id: String,
    pub(super) label: String,
    pub(super) active: bool,
    pub(super) created_at: String,
}

/// A platform.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ShownPlatform {
    pub(super) label: &'static str,
    pub(super) placeholder: &'static str,
    pub(super) help: &'static str,
}

/// All pixels, and the platforms that may have one.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PixelList {
    pub(super) pixels: Vec<ShownPixel>,
    pub(super) platforms: BTreeMap<&'static str, ShownPlatform>,
}

/// One pixel.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OnePixel {
    pub(super) pixel: ShownPixel,
}

/// `GET /api/tracking-pixels`
pub(super) fn list(call: &Call) -> Answer {
    let pixels = call.service().pixels(call.principal()?.workspace)?;
    let pixels = pixels.iter().map(shown).collect();
    let platform = |platform: &waypost_service::Platform| {
        let (label, placeholder, help) = (platform.label, platform.placeholder, platform.help);
        (platform.key, ShownPlatform { label, placeholder, help })
    };
    reply::json(200, &PixelList { pixels, platforms: PLATFORMS.iter().map(platform).collect() })
}

/// `POST /api/tracking-pixels`
pub(super) fn create(call: &Call) -> Answer {
    let PixelBody { platform, pixel_id, label, active } = call.json()?;
    let workspace = call.principal()?.workspace;
    let new = NewPixel {
        platform: platform.unwrap_or_default(),
        pixel_id: pixel_id.unwrap_or_default(),
        label: label.unwrap_or_default(),
        active: active.unwrap_or(true),
    };
    let make = |service: &Service| Ok(service.create_pixel(workspace, new.clone())?);
    let again = |ids: &[u64]| {
        let id = PixelId(ids.first().copied().unwrap_or_default());
        Ok(call.service().pixel(workspace, id)?)
    };
    reply::json(200, &OnePixel { pixel: shown(&call.once(make, again)?) })
}

/// `PATCH /api/tracking-pixels/{id}`
pub(super) fn edit(call: &Call) -> Answer {
    let body: PixelBody = call.json()?;
    let (workspace, id) = (call.principal()?.workspace, PixelId(super::id(call)?));
    call.service().pixel(workspace, id)?;
    let PixelBody { platform, pixel_id, label, active } = body;
    if platform.is_none() && pixel_id.is_none() && label.is_none() && active.is_none() {
        return Err(no_changes());
    }
    let pixel = call.service().edit_pixel(workspace, id, |pixel| {
        pixel.platform = platform.unwrap_or_else(|| pixel.platform.clone());
        pixel.pixel_id = pixel_id.unwrap_or_else(|| pixel.pixel_id.clone());
        pixel.label = label.unwrap_or_else(|| pixel.label.clone());
        pixel.active = active.unwrap_or(pixel.active);
        Ok(())
    })?;
    reply::json(200, &OnePixel { pixel: shown(&pixel) })
}

/// `DELETE /api/tracking-pixels/{id}`
pub(super) fn delete(call: &Call) -> Answer {
    call.service().delete_pixel(call.principal()?.workspace, PixelId(super::id(call)?))?;
    reply::json(200, &Done { ok: true })
}

fn shown(pixel: &Pixel) -> ShownPixel {
    ShownPixel {
        id: pixel.id.0,
        platform: pixel.platform.clone(),
        pixel_id: pixel.pixel_id.clone(),
        label: pixel.label.clone(),
        active: pixel.active,
        created_at: time::seconds(pixel.created_at),
    }
}
