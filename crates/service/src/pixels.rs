//! Tracking pixels: which platforms there are, and what their ids look like.

use waypost_link::{Pixel, PixelId, WorkspaceId};

use crate::{Fault, Result, Service, limits};

/// A platform whose pixels can fire.
#[derive(Clone, Copy, Debug)]
pub struct Platform {
    /// Its key.
    pub key: &'static str,
    /// Its name.
    pub label: &'static str,
    /// What an id looks like.
    pub placeholder: &'static str,
    /// Where to find it.
    pub help: &'static str,
    legal: fn(char) -> bool,
}

/// Every platform.
pub const PLATFORMS: [Platform; 3] = [
    Platform {
        key: "meta",
        label: "Meta (Facebook, Instagram)",
        placeholder: "1234567890",
        help: "The pixel's number, in Meta's Events Manager under Data sources.",
        legal: |c| c.is_ascii_digit(),
    },
    Platform {
        key: "tiktok",
        label: "TikTok",
        placeholder: "C4A1B2C3D4E5F6G7H8I9",
        help: "The pixel's id, in TikTok Ads Manager under Assets, Events.",
        legal: |c| c.is_ascii_alphanumeric(),
    },
    Platform {
        key: "google",
        label: "Google (Analytics, Ads)",
        placeholder: "G-ABC1234567",
        help: "The tag's id, G-… or AW-…, in Google Analytics under Data streams or in Google Ads.",
        legal: |c| c.is_ascii_alphanumeric() || c == '-',
    },
];

/// A pixel to be made.
#[derive(Clone, Debug, Default)]
pub struct NewPixel {
    /// A key of [`PLATFORMS`].
    pub platform: String,
    /// The platform's own id, as typed.
    pub pixel_id: String,
    /// A human's label.
    pub label: String,
    /// Whether it fires.
    pub active: bool,
}

impl Service {
    /// A workspace's pixels, newest first.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub fn pixels(&self, workspace: WorkspaceId) -> Result<Vec<Pixel>> {
        self.newest(workspace)
    }

    /// A pixel of the workspace.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn pixel(&self, workspace: WorkspaceId, id: PixelId) -> Result<Pixel> {
        self.own(workspace, id.0)
    }

    /// Makes a pixel.
    ///
    /// # Errors
    /// [`Fault::Invalid`] (`platform`, `pixel_id`, `label`), [`Fault::LimitReached`],
    /// [`Fault::Store`].
    pub fn create_pixel(&self, workspace: WorkspaceId, new: NewPixel) -> Result<Pixel> {
        let mut pixel = Pixel {
            id: PixelId::UNASSIGNED,
            workspace,
            platform: new.platform,
            pixel_id: new.pixel_id,
            label: new.label,
            active: new.active,
            created_at: (self.now)(),
        };
        settle(&mut pixel)?;
        self.in_turn(|turn| {
            turn.room_for::<Pixel>(workspace, limits::PIXELS, "pixels")?;
            pixel.id = PixelId(turn.put(&pixel)?);
            Ok(pixel)
        })
    }

    /// Changes a pixel.
    ///
    /// # Errors
    /// [`Fault::NotFound`], what `edit` says, and as [`Service::create_pixel`].
    pub fn edit_pixel(
        &self,
        workspace: WorkspaceId,
        id: PixelId,
        edit: impl FnOnce(&mut Pixel) -> Result<()>,
    ) -> Result<Pixel> {
        self.in_turn(|turn| {
            let mut pixel: Pixel = turn.own(workspace, id.0)?;
            edit(&mut pixel)?;
            settle(&mut pixel)?;
            turn.put(&pixel)?;
            Ok(pixel)
        })
    }

    /// Deletes a pixel.
    ///
    /// # Errors
    /// [`Fault::NotFound`], [`Fault::Store`].
    pub fn delete_pixel(&self, workspace: WorkspaceId, id: PixelId) -> Result<Pixel> {
        self.delete(workspace, id.0)
    }
}

fn settle(pixel: &mut Pixel) -> Result<()> {
    let platform = PLATFORMS.iter().find(|platform| platform.key == pixel.platform);
    let platform =
        platform.ok_or_else(|| Fault::invalid("platform", "meta, tiktok or google is expected"))?;
    let legal = pixel.pixel_id.chars().filter(|c| (platform.legal)(*c));
    pixel.pixel_id = legal.take(limits::PIXEL_ID).collect::<String>().to_ascii_uppercase();
    if !pixel.pixel_id.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Fault::invalid("pixel_id", format!("an id such as {}", platform.placeholder)));
    }
    if pixel.label.chars().count() > limits::LABEL || pixel.label.chars().any(char::is_control) {
        return Err(Fault::invalid("label", "a label has at most 80 printable characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::service;

    #[test]
    fn ids_are_sanitized_by_platform() {
        let (service, workspace) = service();
        for (platform, typed, kept) in [
            ("meta", " 1234567890 ", Ok("1234567890")),
            ("meta", "12'); alert(1)//", Ok("121")),
            ("meta", "abc", Err("pixel_id")),
            ("tiktok", "c4a1\"b2", Ok("C4A1B2")),
            ("google", "g-abc1234567<script>", Ok("G-ABC1234567SCRIPT")),
            ("google", "--", Err("pixel_id")),
            ("bing", "1", Err("platform")),
        ] {
            let (platform, pixel_id) = (platform.to_owned(), typed.to_owned());
            let made = service
                .create_pixel(workspace, NewPixel { platform, pixel_id, ..NewPixel::default() });
            match (made, kept) {
                (Ok(pixel), Ok(kept)) => assert_eq!(pixel.pixel_id, kept),
                (Err(Fault::Invalid { field, .. }), Err(wrong)) => assert_eq!(field, wrong),
                other => panic!("{typed}: {other:?}"),
            }
        }
    }

    #[test]
    fn there_is_room_for_so_many() {
        let (service, workspace) = service();
        let new = || NewPixel {
            platform: "meta".to_owned(),
            pixel_id: "1".to_owned(),
            ..NewPixel::default()
        };
        for _ in 0..limits::PIXELS {
            service.create_pixel(workspace, new()).unwrap();
        }
        let full = Err(Fault::LimitReached("pixels"));
        assert_eq!(service.create_pixel(workspace, new()), full);
        let other = service.create_workspace("other").unwrap().id;
        service.create_pixel(other, new()).unwrap();
    }
}
